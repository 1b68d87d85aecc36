"""What `CalculateScores` does with its job: engines, and the pre-flight."""

TARGET, SCOREFILE = "target", "scorefile"
"""Roles of its inputs."""

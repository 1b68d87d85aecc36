"""genoferry ferries encrypted genomes to compute and brings the scores back."""

__version__ = "0.1.0"

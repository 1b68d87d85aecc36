"""The command line."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


class FollowTimeout(GenoferryError):
    """The job has not ended within the time given. It goes on; run `genoferry follow` again."""

    code = "follow-timeout"


class NoResults(GenoferryError):
    """The job has no results: only a job that succeeded has. Run `genoferry status` with its uuid to see why."""

    code = "no-results"


class WouldOverwrite(GenoferryError):
    """A file of that name with another content is there already. Nothing was overwritten; `--force` replaces it."""

    code = "would-overwrite"


class ResultDamaged(GenoferryError):
    """A downloaded result is not what the job wrote: its size or digest is another. Download it again."""

    code = "result-damaged"


class PathUnusable(GenoferryError):
    """A file or folder can't be read or written. Check its path and permissions, or name another."""

    code = "path-unusable"


class ScoresDiffer(GenoferryError):
    """The scores of the demo are not those expected of them. This is a fault of genoferry's; please report it."""

    code = "scores-differ"


class DemoFailed(GenoferryError):
    """The demo could not be brought to its end. Its state folder has the logs."""

    code = "demo-failed"

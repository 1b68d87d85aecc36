"""The embedded AWS (`genoferry local`)."""

from __future__ import annotations

from genoferry.errors.base import GenoferryError


class LocalError(GenoferryError):
    """The embedded AWS could not do what was asked of it. Its logs are in its state folder."""

    code = "local-failed"


class LocalToolsMissing(LocalError):
    """The servers of the embedded AWS are not installed and could not be. Run `make setup` where a Python package
    index can be reached."""

    code = "local-tools-missing"


class LocalNotUp(LocalError):
    """The embedded AWS is not up. Run `genoferry local up`."""

    code = "local-not-up"


class DeployFailed(LocalError):
    """infra/template.yaml could not be deployed to this endpoint."""

    code = "deploy-failed"

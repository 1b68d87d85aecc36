"""Objects that are ours, and none but those: made once, told by their labels, removed. Blocking."""

from __future__ import annotations

from collections.abc import Mapping

from genoferry.compute.kubernetes.api import Api, Kind, Object
from genoferry.compute.kubernetes.errors import Refused
from genoferry.compute.kubernetes.manifest import PREFIX
from genoferry.errors import SubmitFailed, SubmitUnavailable


def selector(deployment: str) -> str:
    """By label, of everything of a deployment."""
    return f"{PREFIX}deployment={deployment}"


def labels_of(found: Object) -> dict[str, str]:
    """Our own labels of an object."""
    return {n: v for n, v in (found["metadata"].get("labels") or {}).items() if n.startswith(PREFIX)}


def ensure(api: Api, kind: Kind, body: Object) -> Object:
    """Make it, or find the one that was made before. Raises `SubmitFailed` where its name is another's,
    `SubmitUnavailable` where it is gone again, or is going."""
    try:
        return api.create(kind, body)
    except Refused as error:
        if error.reason != "AlreadyExists":
            raise
    name = body["metadata"]["name"]
    found = api.read(kind, name)
    if found is None:
        raise SubmitUnavailable(f"{name} was there and is gone, as by a clean-up. It is tried again.")
    if not has_labels(found, labels_of(body)):
        raise SubmitFailed(
            f"Another's object has the name {name} in this namespace; it was left alone. Give each deployment that"
            " shares a namespace a GENOFERRY_DEPLOYMENT of its own."
        )
    if "deletionTimestamp" in found["metadata"]:
        raise SubmitUnavailable(f"{name} is being deleted. It is tried again when it is gone.")
    return found


def has_labels(found: Object, wanted: Mapping[str, str]) -> bool:
    labels = labels_of(found)
    return bool(wanted) and all(labels.get(name) == value for name, value in wanted.items())


def begin_removal(api: Api, kind: Kind, name: str, wanted: Mapping[str, str]) -> str | None:
    """Delete the object of that name if it carries these labels. Its uid, by which its end is seen; None where there is
    none of ours. Raises `Refused`."""
    found = api.read(kind, name)
    if found is None or not has_labels(found, wanted):
        return None
    uid = str(found["metadata"]["uid"])
    api.delete(kind, name, uid)
    return uid

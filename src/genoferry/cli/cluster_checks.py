"""What `genoferry doctor` looks at where jobs run on Kubernetes: could a worker of these settings use the cluster."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from genoferry.cli.finding import Finding
from genoferry.errors import SettingsError

if TYPE_CHECKING:
    from genoferry.compute.kubernetes.api import Api, Kind
    from genoferry.compute.kubernetes.errors import Refused
    from genoferry.compute.kubernetes.permissions import Right
    from genoferry.settings import Settings

WHAT = "cluster"
ROLE = "infra/helm/genoferry/templates/worker-role.yaml"

NAMES = {"serviceaccounts": "service account", "persistentvolumeclaims": "volume claim"}


def cluster(known: Settings) -> Iterator[Finding]:
    """Nothing for the local runner."""
    if known.compute.runner == "kubernetes":
        try:
            yield _connected(known)
        except SettingsError as error:
            yield Finding("fail", WHAT, str(error), "docs/reference/settings.md says what each setting is.")


def _connected(known: Settings) -> Finding:
    """What a worker does at its start, and then what it would ask of the cluster. Raises `SettingsError`."""
    from genoferry.compute.kubernetes.client import open_api
    from genoferry.compute.kubernetes.manifest import namespace
    from genoferry.compute.kubernetes.submit import check

    check(known)
    api = open_api(known.kubernetes, namespace(known))
    try:
        return _allowed(api, known)
    finally:
        api.close()


def _allowed(api: Api, known: Settings) -> Finding:
    from genoferry.compute.kubernetes.errors import Refused
    from genoferry.compute.kubernetes.permissions import absent, needed, refused

    where = f"{api.server}, namespace {api.namespace}"
    try:
        missing, gone = refused(api, known.kubernetes), absent(api, known)
    except Refused as error:
        return unanswered(where, error)
    if missing:
        return lacking(where, missing, of=len(needed(known.kubernetes)))
    if gone:
        return not_there(where, gone)
    return Finding("ok", WHAT, f"{where}: the worker may do there what it needs")


def unanswered(where: str, error: Refused) -> Finding:
    """The server didn't say what the worker may do."""
    if error.status == 403 and not error.passing:
        mend = "Let its account ask about itself: bind the ClusterRole system:basic-user to system:authenticated."
        return Finding("warn", WHAT, f"{where}: the worker may not ask what it may do", mend)
    return Finding("fail", WHAT, f"{where}: {error.words}")


def lacking(where: str, missing: Sequence[Right], *, of: int) -> Finding:
    """Some of the rights, or all `of` them: then it is rather the namespace or the account that is wrong."""
    mend = f"Give the worker's account these verbs by a Role and a RoleBinding in that namespace, as {ROLE} does."
    if len(missing) < of:
        return Finding("fail", WHAT, f"{where}: the worker may not {in_words(missing)}", mend)
    other = "Set GENOFERRY_KUBERNETES_NAMESPACE to the jobs' namespace, if it is another."
    detail = f"{where}: the worker may do nothing that it needs there: {in_words(missing)}"
    return Finding("fail", WHAT, detail, f"{other} {mend}")


def not_there(where: str, gone: Iterable[tuple[Kind, str]]) -> Finding:
    """What the pods of jobs name, or all of the namespace."""
    said = ", ".join(f"no {NAMES[kind]} {name}" for kind, name in gone)
    mend = "Make it there, or set GENOFERRY_KUBERNETES_NAMESPACE and what names it (docs/reference/settings.md) right."
    return Finding("fail", WHAT, f"{where}: {said}", mend)


def in_words(rights: Iterable[Right]) -> str:
    """As `create, get jobs; get pods/log`."""
    verbs: dict[str, list[str]] = {}
    for _, resource, verb in rights:
        verbs.setdefault(resource, []).append(verb)
    return "; ".join(f"{', '.join(names)} {resource}" for resource, names in verbs.items())

"""The demo's cohort through a worker that the chart deployed: a message in, the right scores out, nothing left behind.

Scores come from a mirror, a volume that the test makes of a folder of this machine, and with the request.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from tests.conftest import Deployment
from tests.e2e.kubernetes.cluster import Cluster
from tests.e2e.kubernetes.place import WHOLE_LIFE
from tests.e2e.kubernetes.places import free_port
from tests.e2e.kubernetes.test_chart_deployed import installed, pods, values

from genoferry.cli.demo.doubles import Doubles
from genoferry.cli.demo.outcome import outcome
from genoferry.cli.demo.payloads import globus_body
from genoferry.cli.demo.prepared import SCORES, Prepared, prepare
from genoferry.testing.harness import QUICK, Harness
from genoferry.testing.waiting import wait_until

OF_THIS_MACHINE = ("GENOFERRY_LOCAL_DIR", "GENOFERRY_HANDLER_MODULES", "GENOFERRY_ALLOW_")
DIARY = "events"
"""The cluster's own, which it clears away after an hour."""
CLAIM, MIRROR = "scores", "/mirror"
"""The claim of the mirror, and where pods see it."""
SECONDS = 300


@pytest.mark.usefixtures("own_image")
def test_a_message_in_and_the_right_scores_out(
    cluster: Cluster,
    namespace: str,
    deployment: Deployment,
    aws_environment: Mapping[str, str],
    tmp_path: Path,
) -> None:
    before = wait_until(lambda: own(cluster, namespace), what="the namespace's own objects")
    prepared = prepare(tmp_path / "demo", rand=os.urandom)
    with Doubles(prepared.folder, prepared.private_key) as doubles, deployment(tmp_path) as harness:
        document, scores = values(settings(harness, doubles), free_port()), prepared.folder / SCORES
        with mirror(cluster, namespace, scores), installed(cluster, namespace, document, tmp_path):
            (worker,) = pods(cluster, namespace)
            for name, body in (("by-id", by_id(prepared)), ("sent", sent(prepared, doubles))):
                uuid = harness.send({"name": "CalculateScores", **body})
                row = harness.await_done(uuid, seconds=SECONDS)
                assert row.state == "SUCCEEDED", (name, row.error)
                assert harness.inbox.names(uuid) == WHOLE_LIFE
                verdicts, sums, _ = outcome(tmp_path / name, prepared, row, harness.bucket("results"))
                assert all(verdict.passed for verdict in verdicts), (name, verdicts)
                assert {len(of_score) for of_score in sums.values()} == {len(prepared.samples)}
            assert pods(cluster, namespace) == [worker], "the Jobs went with their pods"
            assert of_kind("jobs", held(cluster, namespace)) == set()
        assert harness.messages_left() == 0
    wait_until(lambda: held(cluster, namespace) == before, what="nothing left in the namespace", seconds=SECONDS)


def settings(harness: Harness, doubles: Doubles) -> dict[str, str]:
    """The worker's, at its own pace, without what names folders of this machine."""
    known = {**harness.environment, **doubles.variables}
    ours = {name: text for name, text in known.items() if name.startswith(("AWS_", "GENOFERRY_", "CLUSTER_", "WORK_"))}
    kept = {name: text for name, text in ours.items() if not (name.startswith(OF_THIS_MACHINE) or name in QUICK)}
    mirrored = {"GENOFERRY_SCORE_MIRROR": MIRROR, "GENOFERRY_KUBERNETES_SCORES_CLAIM": CLAIM}
    return {**kept, **mirrored, "GENOFERRY_ALLOW_HOSTS": doubles.web.host}


def by_id(prepared: Prepared) -> dict[str, Any]:
    """Files of the collection, the key of the key service, scores of the mirror."""
    return globus_body(prepared, "INTP000000000001")


def sent(prepared: Prepared, doubles: Doubles) -> dict[str, Any]:
    """The same, but for scorefiles of the web server."""
    found = globus_body(prepared, "INTP000000000002")
    del found["pipeline_param"]["nxf_params_file"]["pgs_id"]
    return {**found, "scorefiles": [f"{doubles.web.url}/{SCORES}/{p.name}" for p in prepared.scorefiles.values()]}


@contextmanager
def mirror(cluster: Cluster, namespace: str, folder: Path) -> Iterator[None]:
    """A volume of this folder, and its claim, until the end."""
    volume = f"{namespace}-{CLAIM}"
    common = {"accessModes": ["ReadOnlyMany"], "storageClassName": ""}
    of_folder = {"capacity": {"storage": "1Gi"}, "hostPath": {"path": str(folder), "type": "Directory"}}
    for_claim = {"claimRef": {"namespace": namespace, "name": CLAIM}}
    cluster.core.create_persistent_volume({"metadata": {"name": volume}, "spec": {**common, **of_folder, **for_claim}})
    wanted = {**common, "volumeName": volume, "resources": {"requests": {"storage": "1Gi"}}}
    cluster.core.create_namespaced_persistent_volume_claim(namespace, {"metadata": {"name": CLAIM}, "spec": wanted})
    try:
        yield
    finally:
        cluster.core.delete_namespaced_persistent_volume_claim(CLAIM, namespace)
        cluster.core.delete_persistent_volume(volume)


def held(cluster: Cluster, namespace: str) -> set[str]:
    """All that there is in the namespace, of every kind that the API server knows, as `kind/name`."""
    found = set()
    for place, kinds in groups(cluster).items():
        for kind in kinds:
            listed = json.loads(cluster.get(f"{place}/namespaces/{namespace}/{kind}"))
            found |= {f"{kind}/{one['metadata']['name']}" for one in listed["items"] or ()}
    return found


def own(cluster: Cluster, namespace: str) -> set[str] | None:
    """What the cluster itself puts into each namespace, once it is there."""
    found = held(cluster, namespace)
    return found if {"configmaps/kube-root-ca.crt", "serviceaccounts/default"} <= found else None


def groups(cluster: Cluster) -> dict[str, list[str]]:
    """The kinds that can be listed in a namespace, by the path of their group's preferred version."""
    known = json.loads(cluster.get("/apis"))["groups"]
    places = ["/api/v1", *(f"/apis/{one['preferredVersion']['groupVersion']}" for one in known)]
    kinds = {place: json.loads(cluster.get(place))["resources"] for place in places}
    return {
        place: [one["name"] for one in found if one["namespaced"] and "list" in one["verbs"] and one["name"] != DIARY]
        for place, found in kinds.items()
    }


def of_kind(kind: str, found: set[str]) -> set[str]:
    return {name for name in found if name.startswith(f"{kind}/")}

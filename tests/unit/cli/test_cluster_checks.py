"""`genoferry doctor` where jobs run on Kubernetes: the words. What a server answers: tests/integration/compute."""

from __future__ import annotations

from pathlib import Path

import pytest

from genoferry.cli.cluster_checks import cluster, in_words, lacking, unanswered
from genoferry.compute.kubernetes.errors import Refused
from genoferry.compute.kubernetes.permissions import needed
from genoferry.settings import ComputeSettings, KubernetesSettings, Settings

PLAIN = needed(KubernetesSettings(credentials="service-account"))
SECRET = needed(KubernetesSettings(credentials="secret"))


def test_the_local_runner_has_nothing_to_look_at() -> None:
    assert list(cluster(Settings(compute=ComputeSettings(runner="local")))) == []


def test_rights_in_words() -> None:
    assert in_words(PLAIN) == "create, get, list, watch, delete jobs; list, watch pods; get pods/log"
    assert in_words(set(SECRET) - set(PLAIN) - {("", "secrets", "get"), ("batch", "jobs", "patch")}) == "create secrets"


def test_what_is_missing_is_named_and_how_to_mend_it() -> None:
    found = lacking("there", [("", "pods", "watch"), ("", "pods/log", "get")], of=len(PLAIN))
    assert (found.status, found.detail) == ("fail", "there: the worker may not watch pods; get pods/log")
    assert "Role" in (found.mend or "")
    assert "NAMESPACE" not in (found.mend or "")


def test_where_all_is_refused_it_may_be_the_wrong_namespace() -> None:
    found = lacking("there", PLAIN, of=len(PLAIN))
    assert "nothing" in found.detail
    assert "GENOFERRY_KUBERNETES_NAMESPACE" in (found.mend or "")


def test_the_role_that_is_pointed_at_is_there() -> None:
    (path,) = [word for word in (lacking("there", PLAIN, of=9).mend or "").split() if word.endswith(".yaml")]
    assert (Path(__file__).parents[3] / path).is_file()


@pytest.mark.parametrize(
    ("status", "message", "as_what", "said"),
    [
        (403, "forbidden", "warn", "may not ask"),
        (401, "Unauthorized", "fail", "credentials"),
        (None, "MaxRetryError", "fail", "can't be reached"),
        (500, "etcd", "fail", "etcd"),
    ],
)
def test_a_server_that_does_not_say(status: int | None, message: str, as_what: str, said: str) -> None:
    found = unanswered("there", Refused("create", "selfsubjectaccessreviews", status, "", message))
    assert found.status == as_what
    assert said in found.detail

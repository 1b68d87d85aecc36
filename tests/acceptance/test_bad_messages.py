"""Messages that can't be acted on: each has its code, is told of, kept as a dead letter, and stops nothing."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest

from genoferry.testing.harness import Harness
from genoferry.testing.inbox import Received
from genoferry.testing.waiting import wait_until

PIPELINE = {
    "id": "INTP1",
    "target_genomes": [
        {
            "sampleset": "cohort",
            "chrom": "22",
            "format": "pfile",
            "geno": "a.pgen",
            "variants": "a.pvar",
            "pheno": "a.psam",
        }
    ],
    "nxf_params_file": {"pgs_id": "PGS000001", "target_build": "GRCh38", "format": "json"},
}
FILES = [{"path": f"{name}.c4gh", "size": 1} for name in ("a.pgen", "a.pvar", "a.psam")]


def scores(root: str = "/allowed", **changes: Any) -> dict[str, Any]:
    """A good body of `CalculateScores` but for the changes."""
    body = {
        "name": "CalculateScores",
        "pipeline_param": PIPELINE,
        "source": {"type": "file", "root": root, "files": FILES},
        "key": {"type": "file", "path": f"{root}/key"},
    }
    return {name: value for name, value in (body | changes).items() if value is not None}


def sampleset(**changes: Any) -> dict[str, Any]:
    row = PIPELINE["target_genomes"][0] | changes  # type: ignore[index]
    return {"pipeline_param": PIPELINE | {"target_genomes": [row]}}


def source(*paths: str, **more: Any) -> dict[str, Any]:
    files = [{"path": path, "size": 1} for path in paths]
    return {"source": {"type": "file", "root": "/allowed", "files": files, **more}}


@dataclass(frozen=True)
class Bad:
    """`text` of a uuid; the code that it is rejected with; whether its uuid can be read."""

    code: str
    text: Callable[[str], str]
    named: bool = True


def envelope(**changes: Any) -> Callable[[str], str]:
    return lambda uuid: json.dumps({"uuid": uuid, "experimentId": "experiment", "body": {"name": "Touch"}} | changes)


def body(**changes: Any) -> Callable[[str], str]:
    return lambda uuid: json.dumps({"uuid": uuid, "experimentId": "experiment", "body": scores(**changes)})


CASES: dict[str, Bad] = {
    "not json": Bad("not-json", lambda _: "hello", named=False),
    "cut json": Bad("not-json", lambda uuid: f'{{"uuid": "{uuid}", "experimentId"'),
    "odd escape": Bad("not-json", lambda uuid: rf'{{"uuid": "{uuid}", "experimentId": "\x"}}'),
    "lone surrogate": Bad("not-json", lambda uuid: f'{{"uuid": "{uuid}", "experimentId": "\\ud800"}}'),
    "not a number": Bad("not-json", lambda uuid: f'{{"uuid": "{uuid}", "experimentId": NaN}}'),
    "a key twice": Bad("not-json", lambda uuid: f'{{"uuid": "{uuid}", "uuid": "{uuid}"}}'),
    "deep nesting": Bad("not-json", lambda _: "[" * 60_000, named=False),
    "binary": Bad("not-json", lambda _: bytes(range(0xA0, 0x100)).decode("latin-1") * 100, named=False),
    "a list": Bad("not-an-object", lambda _: "[1, 2]", named=False),
    "a string": Bad("not-an-object", lambda _: '"CalculateScores"', named=False),
    "too large": Bad("message-too-large", envelope(padding="x" * 140_000)),
    "a mebibyte": Bad("message-too-large", envelope(padding="x" * (1024**2 - 200))),
    "no uuid": Bad(
        "invalid-envelope", lambda _: json.dumps({"experimentId": "e", "body": {"name": "Touch"}}), named=False
    ),
    "uuid isn't one": Bad("invalid-envelope", lambda _: envelope()("not-a-uuid"), named=False),
    "no experimentId": Bad("invalid-envelope", lambda uuid: json.dumps({"uuid": uuid, "body": {"name": "Touch"}})),
    "experimentId a number": Bad("invalid-envelope", envelope(experimentId=5)),
    "experimentId with a newline": Bad("invalid-envelope", envelope(experimentId="a\nb")),
    "unknown field": Bad("invalid-envelope", envelope(priority="high")),
    "timeout is no time": Bad("invalid-envelope", envelope(timeout="tomorrow")),
    "timeout a number": Bad("invalid-envelope", envelope(timeout=4_000_000_000)),
    "onDuplicate unknown": Bad("invalid-envelope", envelope(onDuplicate="twice")),
    "no body": Bad("invalid-envelope", lambda uuid: json.dumps({"uuid": uuid, "experimentId": "experiment"})),
    "body a list": Bad("invalid-envelope", envelope(body=[])),
    "no name": Bad("invalid-body", envelope(body={})),
    "name a number": Bad("invalid-body", envelope(body={"name": 1})),
    "unknown name": Bad("unknown-name", envelope(body={"name": "DropTables"})),
    "body that fails its model": Bad("invalid-body", envelope(body={"name": "Touch"})),
    "unknown field in the body": Bad("invalid-body", body(extra=1)),
    "no source": Bad("invalid-body", body(source=None)),
    "two sources": Bad("invalid-body", body(globus_details={"dir_path_on_guest_collection": "/", "files": FILES})),
    "no key": Bad("invalid-body", body(key=None)),
    "neither ids nor scorefiles": Bad(
        "invalid-body", body(pipeline_param=PIPELINE | {"nxf_params_file": {"target_build": "GRCh38"}})
    ),
    "unknown build": Bad(
        "invalid-body",
        body(pipeline_param=PIPELINE | {"nxf_params_file": {"pgs_id": "PGS000001", "target_build": "hg18"}}),
    ),
    "chrom a number": Bad("invalid-body", body(**sampleset(chrom=22))),
    "sampleset reference": Bad("invalid-body", body(**sampleset(sampleset="reference"))),
    "sampleset with a dash": Bad("invalid-body", body(**sampleset(sampleset="a-b"))),
    "chrom twice": Bad(
        "invalid-body",
        body(pipeline_param=PIPELINE | {"target_genomes": PIPELINE["target_genomes"] * 2}),  # type: ignore[operator]
    ),
    "a file that isn't listed": Bad("invalid-body", body(**source("a.pgen.c4gh", "a.pvar.c4gh"))),
    "a file that isn't named": Bad("invalid-body", body(**source(*(f["path"] for f in FILES), "b.c4gh"))),  # type: ignore[arg-type]
    "two sources for one file": Bad("invalid-body", body(**source(*(f["path"] for f in FILES), "a.pgen"))),  # type: ignore[arg-type]
    "a file as another's folder": Bad(
        "invalid-body",
        body(**sampleset(geno="a", variants="a/b"), **source("a.c4gh", "a/b.c4gh", "a.psam.c4gh")),
    ),
    "dot dot": Bad("invalid-body", body(**sampleset(geno="../a.pgen"), **source("../a.pgen.c4gh"))),
    "dot dot within": Bad("invalid-body", body(**source("b/../../a.pgen.c4gh"))),
    "absolute": Bad("invalid-body", body(**source("/etc/passwd"))),
    "NUL": Bad("invalid-body", body(**source("a\0.pgen.c4gh"))),
    "size negative": Bad(
        "invalid-body",
        body(source={"type": "file", "root": "/allowed", "files": [{"path": "a.pgen.c4gh", "size": -1}]}),
    ),
    "501 files": Bad("message-too-large", body(**source(*(f"{number}.c4gh" for number in range(501))))),
    "root not allowed": Bad("source-not-allowed", body(root="/etc")),
    "key not allowed": Bad("source-not-allowed", body(key={"type": "file", "path": "/etc/passwd"})),
    "host not allowed": Bad(
        "source-not-allowed",
        body(source={"type": "https", "baseUrl": "https://169.254.169.254/latest", "files": FILES}),
    ),
    "bucket not allowed": Bad("source-not-allowed", body(source={"type": "s3", "bucket": "another", "files": FILES})),
    "secret not allowed": Bad("source-not-allowed", body(key={"type": "secrets-manager", "secretId": "prod/db"})),
    "no key service here": Bad(
        "source-not-allowed", body(key=None, secret_key_details={"secret_id": "a", "secret_id_version": "1"})
    ),
    "scorefile not allowed": Bad(
        "source-not-allowed",
        body(
            pipeline_param=PIPELINE | {"nxf_params_file": {"target_build": "GRCh38"}},
            scorefiles=["file:///etc/passwd"],
        ),
    ),
    "cancel without target": Bad("invalid-body", envelope(body={"name": "CancelJob"})),
    "cancel of no uuid": Bad("invalid-body", envelope(body={"name": "CancelJob", "target": "all"})),
}


@dataclass
class Sent:
    """What became of all of them: dead letters by MessageId."""

    harness: Harness
    uuids: dict[str, str]
    message_ids: dict[str, str]
    dead: dict[str, Received]


@pytest.fixture(scope="module")
def sent(deployment: Any, make_touch: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sent]:
    """All of them at once, then a good one, to one worker."""
    with deployment(tmp_path_factory.mktemp("bad")) as harness:
        harness.environment["GENOFERRY_ALLOW_FILE_ROOTS"] = "/allowed"
        harness.environment["GENOFERRY_ALLOW_KEY_ROOTS"] = "/allowed"
        worker = harness.worker()
        uuids = {name: str(uuid4()) for name in CASES}
        ids = {name: harness.send_text(bad.text(uuids[name]), group=name[:8]) for name, bad in CASES.items()}
        good = make_touch(harness)()
        assert harness.await_done(good.uuid).state == "SUCCEEDED", "the worker goes on"
        wait_until(lambda: len(harness.dead.drain()) >= len(CASES), what="all dead letters")
        assert worker.exit_code is None
        assert harness.messages_left() == 0
        dead = {letter.attributes["originalMessageId"]: letter for letter in harness.dead.received}
        assert len(dead) == len(harness.dead.received) == len(CASES)
        yield Sent(harness, uuids, ids, dead)


@pytest.mark.parametrize("name", CASES)
def test_each_has_its_code_is_told_of_and_kept(sent: Sent, name: str) -> None:
    bad, uuid, message_id = CASES[name], sent.uuids[name], sent.message_ids[name]
    letter = sent.dead[message_id]
    assert letter.attributes["code"] == bad.code
    assert letter.attributes["cause"]
    assert letter.attributes["time"].endswith("Z")
    assert letter.attributes["workerVersion"]
    (told,) = (m for m in sent.harness.inbox.messages(uuid if bad.named else None) if m["event_id"] == message_id)
    assert (told["event"], told["error"]["code"], told["error"]["retryable"]) == ("Rejected", bad.code, False)
    assert letter.attributes["cause"] == told["error"]["userMessage"]
    assert len(told["error"]["userMessage"].encode()) <= 1024
    assert sent.harness.row(uuid) is None


def test_a_rejection_without_uuid_has_no_attribute(sent: Sent) -> None:
    """Absent, never empty: SNS refuses an empty one, and a filter policy would match it."""
    nameless = [received for received in sent.harness.inbox.drain() if "uuid" not in received.message]
    assert len(nameless) == sum(not bad.named for bad in CASES.values())
    assert [received.attributes["event"] for received in nameless] == ["Rejected"] * len(nameless)
    assert not any("uuid" in received.attributes for received in nameless)


@pytest.mark.parametrize("name", ["not json", "binary", "odd escape", "dot dot"])
def test_the_dead_letter_is_the_message_as_it_came(sent: Sent, name: str) -> None:
    assert sent.dead[sent.message_ids[name]].body == CASES[name].text(sent.uuids[name])


def test_a_body_that_does_not_fit_is_kept_in_the_bucket(sent: Sent) -> None:
    letter = sent.dead[sent.message_ids["a mebibyte"]]
    bucket, _, key = json.loads(letter.body)["body"].removeprefix("s3://").partition("/")
    assert bucket == sent.harness.bucket("work")
    assert sent.harness.content("work", key).decode() == CASES["a mebibyte"].text(sent.uuids["a mebibyte"])


@pytest.mark.parametrize("name", ["root not allowed", "unknown name", "experimentId with a newline", "NUL"])
def test_no_cause_echoes_what_was_sent(sent: Sent, name: str) -> None:
    cause = sent.dead[sent.message_ids[name]].attributes["cause"]
    for written in ("/etc", "DropTables", "a\nb", "a\0"):
        assert written not in cause


def test_what_fails_for_a_lasting_cause_is_given_up_after_some_receives(harness: Harness, touch: Any) -> None:
    """The work bucket is gone: nothing that the message could mend, so it may not come back for ever."""
    harness.inbox.drain()
    harness.worker(GENOFERRY_WORK_BUCKET="there-is-none", GENOFERRY_QUEUE_MAX_RECEIVES="2")
    job = touch()
    assert harness.inbox.await_event(job.uuid, "Rejected")["error"]["code"] == "not-found"
    letter = wait_until(harness.dead.drain, what="the dead letter")[0]
    assert json.loads(letter.body)["uuid"] == job.uuid
    assert letter.attributes["code"] == "not-found"
    wait_until(lambda: not harness.messages_left(), what="the message to be deleted")

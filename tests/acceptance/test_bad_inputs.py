"""Inputs that can't be staged or don't hold what was said: each fails its job with its own code, and no other's."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from genoferry.testing.crypt4gh_writer import SEGMENT, encrypt, new_key
from genoferry.testing.harness import Harness
from genoferry.testing.https_source import Data, Fault, HttpsSource
from genoferry.testing.key_service import KeyService

PLAIN = os.urandom(4 * SEGMENT)
FOR_EVER = 10_000
SECRET, PUBLIC = new_key()
STORED = encrypt(PLAIN, [PUBLIC])
LONG = encrypt(PLAIN * 8, [PUBLIC])
SEALED_SEGMENT = SEGMENT + 28


@dataclass
class Servers:
    """What the cases read from, scripted by them."""

    folder: Path
    source: HttpsSource
    keys: KeyService
    elsewhere: HttpsSource

    def https(
        self,
        name: str,
        stored: bytes = STORED,
        fault: Fault | None = None,
        *,
        after: int = 0,
        times: int = FOR_EVER,
        **stated: Any,
    ) -> Any:
        """A file of the HTTPS source, with what goes wrong with each request for it."""
        self.source.files[name] = Data(stored)
        if fault is not None:
            self.source.fail(fault, path=name, after=after, times=times)
        file = {"path": name, "size": len(stored)} | stated
        return {"source": {"type": "https", "baseUrl": self.source.url, "files": [file]}}

    def file(self, name: str, stored: bytes | None = STORED, **stated: Any) -> Any:
        if stored is not None:
            (self.folder / name).write_bytes(stored)
        file = {"path": name, "size": len(stored or STORED)} | stated
        return {"source": {"type": "file", "root": str(self.folder), "files": [file]}}

    def key_file(self, name: str, content: bytes = SECRET, **more: Any) -> Any:
        (self.folder / name).write_bytes(content)
        return {"key": {"type": "file", "path": str(self.folder / name), **more}}

    def key_service(self, secret_id: str, content: bytes | None = SECRET) -> Any:
        if content is not None:
            self.keys.keys[secret_id, "1"] = content
        return {"key": {"type": "key-service", "secretId": secret_id, "version": "1"}}


class ScriptedKeyService(KeyService):
    """Answers by the secret's id where that is a status, or garbage."""

    def answer(self, request: Any, handler: Any) -> None:
        name = request.path.split("/")[2]
        if name.isdecimal():
            handler.reply(int(name))
        elif name == "garbage":
            handler.reply(200, b"<html>")
        elif name == "other-wrapping":
            handler.reply(200, b'{"privateKey": "' + b"A" * 120 + b'"}')
        else:
            super().answer(request, handler)


@dataclass(frozen=True)
class Case:
    """`code` is None where the job must succeed in spite of the trouble."""

    code: str | None
    inputs: Callable[[Servers], Any] = field(repr=False)


def redirecting(servers: Servers, name: str, target: str) -> Any:
    return servers.https(name, STORED, Fault(redirect=target))


SHA256 = hashlib.sha256(PLAIN).hexdigest()
CUT = STORED[:-SEALED_SEGMENT]
SWAPPED = STORED[: -2 * SEALED_SEGMENT] + STORED[-SEALED_SEGMENT:] + STORED[-2 * SEALED_SEGMENT : -SEALED_SEGMENT]
DAMAGED = STORED[:-100] + bytes([STORED[-100] ^ 1]) + STORED[-99:]

CASES: dict[str, Case] = {
    "good": Case(None, lambda s: s.https("good.c4gh", sha256=SHA256) | s.key_service("good")),
    "500 for ever": Case("source-unavailable", lambda s: s.https("a.c4gh", STORED, Fault(status=500))),
    "500 twice": Case(None, lambda s: s.https("b.c4gh", STORED, Fault(status=500), times=2)),
    "403": Case("source-denied", lambda s: s.https("c.c4gh", STORED, Fault(status=403))),
    "404": Case("source-missing", lambda s: s.https("d.c4gh", STORED, Fault(status=404))),
    "416": Case("source-range", lambda s: s.https("e.c4gh", LONG, Fault(status=416), after=1)),
    "416 to the first request": Case("crypt4gh-invalid", lambda s: s.https("9.c4gh", STORED, Fault(status=416))),
    "200 for a range": Case("source-ignores-range", lambda s: s.https("f.c4gh", STORED, Fault(ignore_range=True))),
    "short for ever": Case("source-short", lambda s: s.https("g.c4gh", STORED, Fault(short=0))),
    "short twice": Case(None, lambda s: s.https("h.c4gh", STORED, Fault(short=1000), times=2)),
    "changed": Case(
        None,
        lambda s: s.https(
            "i.c4gh",
            LONG,
            Fault(change=Data(encrypt(PLAIN * 8, [PUBLIC]))),
            after=1,
            times=1,
            sha256=hashlib.sha256(PLAIN * 8).hexdigest(),
        ),
    ),
    "redirect to a host that isn't allowed": Case(
        "source-not-allowed", lambda s: redirecting(s, "j.c4gh", f"{s.elsewhere.url}/a.c4gh")
    ),
    "redirect to the metadata service": Case(
        "source-not-allowed", lambda s: redirecting(s, "k.c4gh", "http://169.254.169.254/latest/meta-data")
    ),
    "redirect in a circle": Case("source-redirects", lambda s: redirecting(s, "l.c4gh", f"{s.source.url}/l.c4gh")),
    "cut at a segment's end": Case("size-mismatch", lambda s: s.https("m.c4gh", CUT, size=len(STORED))),
    "cut, and its size stated so": Case("digest-mismatch", lambda s: s.file("n.c4gh", CUT, sha256=SHA256)),
    "segments swapped": Case("digest-mismatch", lambda s: s.file("o.c4gh", SWAPPED, sha256=SHA256)),
    "another digest": Case("digest-mismatch", lambda s: s.file("p.c4gh", sha256="0" * 64)),
    "longer than stated": Case("size-mismatch", lambda s: s.file("q.c4gh", size=len(STORED) - 1)),
    "damaged": Case("segment-corrupt", lambda s: s.file("r.c4gh", DAMAGED)),
    "not Crypt4GH": Case("crypt4gh-invalid", lambda s: s.file("s.c4gh", b"PK" + bytes(5000))),
    "empty": Case("crypt4gh-invalid", lambda s: s.file("t.c4gh", b"")),
    "another's": Case("wrong-key", lambda s: s.file("u.c4gh", encrypt(PLAIN, [new_key()[1]]))),
    "no such file": Case("source-missing", lambda s: s.file("v.c4gh", None)),
    "no such object": Case(
        "source-missing",
        lambda s: {"source": {"type": "s3", "bucket": "development-work", "files": [{"path": "none", "size": 1}]}},
    ),
    "key: another": Case("wrong-key", lambda s: s.file("w.c4gh") | s.key_file("w.key", new_key()[0])),
    "key: garbage": Case("key-malformed", lambda s: s.file("x.c4gh") | s.key_file("x.key", b"not a key")),
    "key: no such file": Case(
        "key-missing", lambda s: s.file("y.c4gh") | {"key": {"type": "file", "path": str(s.folder / "none")}}
    ),
    "key: no passphrase file": Case(
        "key-missing", lambda s: s.file("z.c4gh") | s.key_file("z.key", passphrase_file=str(s.folder / "none"))
    ),
    "key service: 401": Case("key-denied", lambda s: s.file("1.c4gh") | s.key_service("401", None)),
    "key service: 403": Case("key-denied", lambda s: s.file("2.c4gh") | s.key_service("403", None)),
    "key service: 404": Case("key-missing", lambda s: s.file("3.c4gh") | s.key_service("unknown", None)),
    "key service: 500": Case("key-unavailable", lambda s: s.file("4.c4gh") | s.key_service("500", None)),
    "key service: garbage": Case("key-malformed", lambda s: s.file("5.c4gh") | s.key_service("garbage", None)),
    "key service: wrapped otherwise": Case(
        "key-malformed", lambda s: s.file("6.c4gh") | s.key_service("other-wrapping", None)
    ),
    "key service: no private key in it": Case(
        "key-malformed", lambda s: s.file("7.c4gh") | s.key_service("short", b"x")
    ),
    "key service: another's": Case("wrong-key", lambda s: s.file("8.c4gh") | s.key_service("another", new_key()[0])),
}


@pytest.fixture(scope="module")
def sent(deployment: Any, make_touch: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, Any]]:
    """All of them at once, to one worker, which is left alive."""
    folder = tmp_path_factory.mktemp("inputs")
    with ExitStack() as stack:
        source = stack.enter_context(HttpsSource({}))
        elsewhere = stack.enter_context(HttpsSource({"a.c4gh": Data(STORED)}))
        keys = stack.enter_context(ScriptedKeyService({}))
        harness: Harness = stack.enter_context(deployment(folder))
        worker = harness.worker(
            GENOFERRY_ALLOW_HOSTS=source.host,
            GENOFERRY_ALLOW_BUCKETS="development-work",
            GENOFERRY_KEY_SERVICE_URL=keys.url,
            GENOFERRY_KEY_SERVICE_USERNAME="worker",
            GENOFERRY_KEY_SERVICE_PASSWORD="service-password",
            GENOFERRY_KEY_SERVICE_WRAPPING_PASSWORD="wrapping-password",
            GENOFERRY_WORKER_MAX_FAILURES="2",
            GENOFERRY_STAGING_JOBS_AT_ONCE="12",
            GENOFERRY_MAX_RUNNING="40",
        )
        servers = Servers(folder, source, keys, elsewhere)
        default = servers.key_file("key")
        touch = make_touch(harness)
        jobs = {name: touch(**(default | case.inputs(servers))) for name, case in CASES.items()}
        yield {"harness": harness, "worker": worker, "jobs": jobs}


@pytest.mark.parametrize("name", CASES)
def test_each_has_its_code(sent: dict[str, Any], name: str) -> None:
    harness, job, code = sent["harness"], sent["jobs"][name], CASES[name].code
    row = harness.await_done(job.uuid, seconds=120)
    assert row.state == ("FAILED" if code else "SUCCEEDED"), row.error
    if code is None:
        assert job.executions == [1]
        return
    failed = harness.inbox.await_event(job.uuid, "Failed")
    assert failed["error"]["code"] == code
    assert str(harness.folder) not in failed["error"]["userMessage"]
    assert job.executions == []
    assert harness.uploads(job.uuid) == []
    left = [key for key in harness.keys("work", f"{job.uuid}/") if "/request-" not in key and "job.json" not in key]
    assert left == []


def test_the_worker_went_on(sent: dict[str, Any]) -> None:
    assert sent["worker"].exit_code is None
    assert sent["harness"].messages_left() == 0
    assert '"source-changed"' in sent["worker"].text, "it was noticed, and the file staged anew"

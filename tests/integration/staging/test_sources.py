"""Each source against its real counterpart, and each fault to its own error."""

from __future__ import annotations

import os
import ssl
import threading
from pathlib import Path
from typing import Any

import pytest

from genoferry.errors import (
    RangeNotSatisfiable,
    SourceChanged,
    SourceDenied,
    SourceIgnoresRange,
    SourceMissing,
    SourceNotAllowed,
    SourceRedirects,
    SourceShort,
    SourceUnavailable,
    SourceUntrusted,
    StagingError,
    StagingStopped,
)
from genoferry.staging.cancellation import Halt
from genoferry.staging.file import FileSource
from genoferry.staging.http_client import MAX_REDIRECTS, Timeouts, Web
from genoferry.staging.https import HttpsSource
from genoferry.staging.oauth import ClientCredentials
from genoferry.staging.ranges import Origin, RangeReader, Retry
from genoferry.staging.s3 import S3Source
from genoferry.testing.https_source import Clients, Fault

DATA = bytes(range(256)) * 1000


def read(source: Any, path: str, start: int, stop: int, **options: Any) -> bytes:
    """One answer, to its end."""
    body = source.open(path, start, stop, **options)
    try:
        buffer, done = memoryview(bytearray(stop - start + 1)), 0
        while got := body.readinto(buffer[done:]):
            done += got
        return bytes(buffer[:done])
    finally:
        body.close()


def read_all(source: Any, path: str, start: int, stop: int, retry: Retry) -> bytes:
    """Through passing trouble."""
    buffer = bytearray(stop - start)
    with RangeReader(Origin(source, path), start, stop, retry=retry, halt=Halt()) as reader:
        reader.fill(memoryview(buffer))
    return bytes(buffer)


@pytest.fixture(params=["https", "s3", "file"])
def kept(request: Any, folder: Path) -> Any:
    """A source that holds DATA at `a b/ü.c4gh`."""
    name = "a b/ü.c4gh"
    if request.param == "https":
        double = request.getfixturevalue("serve")({name: DATA})
        return request.getfixturevalue("https")(double)
    if request.param == "s3":
        s3, dest = request.getfixturevalue("s3"), request.getfixturevalue("dest")
        s3.put_object(Bucket=dest.bucket, Key=f"prefix/{name}", Body=DATA)
        return S3Source(s3, dest.bucket, "prefix", [dest.bucket])
    (folder / "a b").mkdir()
    (folder / name).write_bytes(DATA)
    return FileSource(str(folder), [str(folder)])


class TestEverySource:
    NAME = "a b/ü.c4gh"

    @pytest.mark.parametrize(("start", "stop"), [(0, 1), (0, 256_000), (100, 200_000), (255_999, 256_000)])
    def test_ranges(self, kept: Any, start: int, stop: int) -> None:
        assert read(kept, self.NAME, start, stop) == DATA[start:stop]

    def test_a_range_past_the_end_is_what_there_is(self, kept: Any) -> None:
        assert read(kept, self.NAME, 255_000, 300_000) == DATA[255_000:]

    def test_a_range_behind_the_end(self, kept: Any) -> None:
        with pytest.raises(RangeNotSatisfiable):
            kept.open(self.NAME, 256_000, 256_001)

    def test_size_and_etag(self, kept: Any) -> None:
        body = kept.open(self.NAME, 0, 5)
        body.close()
        assert body.stat.size == len(DATA)
        assert read(kept, self.NAME, 0, 5, if_match=body.stat.etag) == DATA[:5]

    def test_another_etag(self, kept: Any) -> None:
        with pytest.raises(SourceChanged):
            kept.open(self.NAME, 0, 5, if_match='"another"')

    def test_missing(self, kept: Any) -> None:
        with pytest.raises(SourceMissing):
            kept.open("a b/none", 0, 5)

    @pytest.mark.parametrize("path", ["../secret", "/etc/passwd", "a b/../../secret", "", "a b\\x", "a\0b"])
    def test_paths_that_leave(self, kept: Any, path: str) -> None:
        with pytest.raises(SourceNotAllowed):
            kept.open(path, 0, 5)


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (Fault(status=500), SourceUnavailable),
        (Fault(status=503), SourceUnavailable),
        (Fault(status=429), SourceUnavailable),
        (Fault(drop=True), SourceUnavailable),
        (Fault(status=401), SourceDenied),
        (Fault(status=403), SourceDenied),
        (Fault(status=404), SourceMissing),
        (Fault(status=410), SourceMissing),
        (Fault(status=412), SourceChanged),
        (Fault(status=416), RangeNotSatisfiable),
        (Fault(status=400), StagingError),
        (Fault(ignore_range=True), SourceIgnoresRange),
        (Fault(short=10), SourceShort),
        (Fault(redirect="/f"), SourceRedirects),
        (Fault(redirect="http://169.254.169.254/latest/meta-data/"), SourceNotAllowed),
        (Fault(redirect="http://127.0.0.1:1/f"), SourceNotAllowed),
        (Fault(redirect="https://evil.example.org/f"), SourceNotAllowed),
        (Fault(redirect="file:///etc/passwd"), SourceNotAllowed),
        (Fault(redirect="//evil.example.org/f"), SourceNotAllowed),
        (Fault(redirect="http://u:p@127.0.0.1/f"), SourceNotAllowed),
    ],
    ids=lambda value: value.__name__ if isinstance(value, type) else None,
)
def test_each_fault_is_its_own_error(fault: Fault, error: type[Exception], serve: Any, https: Any, retry: Any) -> None:
    double = serve({"f": DATA})
    double.fail(fault, times=99)
    with pytest.raises(error) as caught:
        read_all(https(double), "f", 0, 1000, retry)
    assert type(caught.value) is error
    assert "evil" not in str(caught.value)


def test_a_host_that_is_not_allowed(serve: Any) -> None:
    double = serve({"f": DATA})
    with pytest.raises(SourceNotAllowed):
        HttpsSource(double.url, Web(("data.example.org",))).open("f", 0, 5)
    assert double.requests == []


def test_nothing_listens() -> None:
    with pytest.raises(SourceUnavailable):
        HttpsSource("http://127.0.0.1:1", Web(("127.0.0.1:1",))).open("f", 0, 5)


def test_a_server_that_says_nothing(serve: Any) -> None:
    double, hang = serve({"f": DATA}), threading.Event()
    double.fail(Fault(hang=hang))
    try:
        with pytest.raises(SourceUnavailable):
            HttpsSource(double.url, Web((double.host,), timeouts=Timeouts(1, 0.2))).open("f", 0, 5)
    finally:
        hang.set()


def test_redirects_are_followed(serve: Any, https: Any) -> None:
    there = serve({"real": DATA})
    here = serve({"f": DATA})
    here.fail(Fault(redirect="/g"))
    here.fail(Fault(redirect=f"{there.url}/real?signed=yes"), path="g")
    assert read(https(here, hosts=(there.host,)), "f", 7, 99) == DATA[7:99]
    assert there.requests[0].headers["Range"] == "bytes=7-98"


def test_one_redirect_more_than_enough(serve: Any, https: Any) -> None:
    double = serve({"f": DATA})
    double.fail(Fault(redirect="/f"), times=MAX_REDIRECTS + 1)
    with pytest.raises(SourceRedirects):
        https(double).open("f", 0, 5)
    assert len(double.gets) == MAX_REDIRECTS + 1


def test_a_name_that_resolves_to_where_no_source_is(serve: Any) -> None:
    double = serve({"f": DATA})
    port = double.host.split(":")[1]
    for address in ("127.0.0.1", "169.254.169.254", "::1"):
        web = Web((f"data.example.org:{port}",), resolve=lambda _host, _port, address=address: [address])
        with pytest.raises(SourceNotAllowed):
            HttpsSource(f"https://data.example.org:{port}", web).open("f", 0, 5)
    assert double.requests == []


def test_the_address_that_was_checked_is_the_one_that_is_used(serve: Any) -> None:
    """A name that is harmless when it is checked and loopback when it is used (DNS rebinding) gains nothing."""
    double = serve({"f": DATA})
    answers = iter([["192.0.2.1"], ["127.0.0.1"]])
    port = double.host.split(":")[1]
    web = Web((f"data.example.org:{port}",), resolve=lambda *_: next(answers), timeouts=Timeouts(0.2, 0.2))
    with pytest.raises(SourceUnavailable):
        HttpsSource(f"https://data.example.org:{port}", web).open("f", 0, 5)
    assert double.requests == []
    assert next(answers) == ["127.0.0.1"]


def test_tls_is_verified(serve: Any) -> None:
    """The double speaks no TLS: a client that fell back to plain text would get its answer."""
    double = serve({"f": DATA})
    with pytest.raises(SourceUnavailable) as caught:
        HttpsSource(f"https://{double.host}", Web((double.host,))).open("f", 0, 5)
    assert isinstance(caught.value.__cause__, ssl.SSLError)


def test_over_tls(serve: Any, https: Any, tls: Any, retry: Retry) -> None:
    double = serve({"f": DATA}, tls=tls.server)
    source = https(double, context=tls.client)
    for start in (0, 70_000):
        assert read_all(source, "f", start, 256_000, retry) == DATA[start:]
    double.fail(Fault(short=100_000))
    assert read_all(source, "f", 0, 256_000, retry) == DATA


def test_a_certificate_that_nobody_vouches_for(serve: Any, https: Any, tls: Any) -> None:
    with pytest.raises(SourceUntrusted):
        https(serve({"f": DATA}, tls=tls.server)).open("f", 0, 5)


@pytest.mark.parametrize("after", [0, 1])
def test_a_halt_ends_a_wait_over_tls(after: int, serve: Any, tls: Any, retry: Retry) -> None:
    """For an answer's head on a new connection, and on one that was used before."""
    double, hang, halt = serve({"f": DATA}, tls=tls.server), threading.Event(), Halt()
    double.fail(Fault(hang=hang), after=after)
    with Web((double.host,), context=tls.client) as web:
        source = HttpsSource(double.url, web)
        for _ in range(after):
            read(source, "f", 0, 9)
        threading.Timer(0.2, halt.set).start()
        try:
            with (
                RangeReader(Origin(source, "f"), 0, 9, retry=retry, halt=halt) as reader,
                pytest.raises(StagingStopped),
            ):
                reader.fill(memoryview(bytearray(9)))
        finally:
            hang.set()


def test_connections_are_used_again(serve: Any, https: Any) -> None:
    double = serve({"f": DATA})
    source = https(double)
    ports = set()
    for start in range(5):
        body = source.open("f", start, start + 9)
        ports.add(body.readinto.__self__._connection.sock.getsockname()[1])
        assert body.readinto(memoryview(bytearray(9))) == 9
        body.close()
    assert len(ports) == 1


def test_a_weak_etag_is_compared_here(serve: Any, https: Any) -> None:
    double = serve({"f": DATA})
    double.fail(Fault(weak=True), times=3)
    source = https(double)
    body = source.open("f", 0, 5)
    body.close()
    assert body.stat.etag.startswith("W/")
    assert read(source, "f", 0, 5, if_match=body.stat.etag) == DATA[:5]
    with pytest.raises(SourceChanged):
        source.open("f", 0, 5, if_match='W/"another"')
    assert all(request.headers["If-Match"] is None for request in double.requests)


class TestTokens:
    @pytest.fixture
    def clients(self) -> Clients:
        return Clients()

    @pytest.fixture
    def guarded(self, serve: Any, clients: Clients) -> Any:
        return serve({"f": DATA}, clients=clients)

    @pytest.fixture
    def source(self, guarded: Any, serve: Any) -> Any:
        webs = []

        def connect(hosts: tuple[str, ...] = (), **changed: Any) -> HttpsSource:
            webs.append(Web((guarded.host, *hosts)))
            given = {"client_id": "worker", "client_secret": "client-secret", "scope": "files"} | changed
            return HttpsSource(guarded.url, webs[-1], ClientCredentials(webs[-1], f"{guarded.url}/token", **given))

        yield connect
        for web in webs:
            web.close()

    def test_asked_for_once(self, source: Any, guarded: Any, clients: Clients) -> None:
        connected = source()
        for _ in range(3):
            assert read(connected, "f", 0, 9) == DATA[:9]
        assert len(clients.given) == 1
        assert guarded.requests[0].body == b"grant_type=client_credentials&scope=files"

    def test_asked_for_again_before_it_expires(self, source: Any, guarded: Any, clients: Clients) -> None:
        now = [1000.0]
        connected = source(monotonic=lambda: now[0])
        for later, given in ((0, 1), (3539, 1), (3541, 2)):
            now[0] = 1000.0 + later
            read(connected, "f", 0, 9)
            assert len(clients.given) == given

    def test_asked_for_again_once_when_refused(self, source: Any, guarded: Any, clients: Clients) -> None:
        connected = source()
        read(connected, "f", 0, 9)
        clients.valid.clear()
        assert read(connected, "f", 0, 9) == DATA[:9]
        assert len(clients.given) == 2

    def test_refused_for_good(self, source: Any, guarded: Any, clients: Clients) -> None:
        guarded.fail(Fault(status=401), path="f", times=9)
        with pytest.raises(SourceDenied):
            read(source(), "f", 0, 9)
        assert len(clients.given) == 2

    def test_wrong_secret(self, source: Any) -> None:
        with pytest.raises(SourceDenied) as caught:
            read(source(client_secret="secret-canary"), "f", 0, 9)
        assert "canary" not in repr(caught.value)

    def test_no_token_for_another_host(self, source: Any, guarded: Any, serve: Any) -> None:
        other = serve({"f": DATA})
        guarded.fail(Fault(redirect=f"{other.url}/f"), path="f")
        assert read(source(hosts=(other.host,)), "f", 0, 9) == DATA[:9]
        assert other.requests[0].headers["Authorization"] is None


class TestFolders:
    def test_symbolic_links_within(self, folder: Path) -> None:
        (folder / "real").write_bytes(DATA)
        (folder / "link").symlink_to("real")
        assert read(FileSource(str(folder), [str(folder)]), "link", 0, 9) == DATA[:9]

    def test_symbolic_links_out(self, folder: Path) -> None:
        (folder / "file").symlink_to(folder.parent / "other" / "secret")
        (folder / "folder").symlink_to(folder.parent / "other")
        (folder / "loop").symlink_to("loop")
        source = FileSource(str(folder), [str(folder)])
        for path in ("file", "folder/secret", "loop"):
            with pytest.raises(SourceNotAllowed):
                source.open(path, 0, 5)

    def test_a_root_that_is_not_allowed(self, folder: Path) -> None:
        (folder / "f").write_bytes(DATA)
        for roots in ([], [str(folder.parent / "other")], [str(folder / "f")], [str(folder) + "x"]):
            with pytest.raises(SourceNotAllowed):
                FileSource(str(folder), roots).open("f", 0, 5)

    def test_a_link_put_there_after_the_check(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        """`check_file` saw a file; what is opened is a link by then."""
        import genoferry.staging.file as room

        (folder / "sub").mkdir()
        (folder / "sub" / "secret").write_bytes(DATA)
        check = room.check_file

        def swap(path: Path, roots: Any) -> Any:
            found = check(path, roots)
            (folder / "sub").rename(folder / "was")
            (folder / "sub").symlink_to(folder.parent / "other")
            return found

        monkeypatch.setattr(room, "check_file", swap)
        with pytest.raises(SourceNotAllowed):
            FileSource(str(folder), [str(folder)]).open("sub/secret", 0, 5)

    def test_what_is_no_file(self, folder: Path) -> None:
        os.mkfifo(folder / "fifo")
        (folder / "sub").mkdir()
        source = FileSource(str(folder), [str(folder)])
        for path in ("fifo", "sub"):
            with pytest.raises(SourceMissing):
                source.open(path, 0, 5)

    def test_a_file_that_changes_while_it_is_read(self, folder: Path) -> None:
        (folder / "f").write_bytes(DATA)
        body = FileSource(str(folder), [str(folder)]).open("f", 0, 1000)
        (folder / "f").write_bytes(DATA[:-1])
        with pytest.raises(SourceChanged):
            body.readinto(memoryview(bytearray(10)))
        body.close()


def test_a_bucket_that_is_not_allowed(s3: Any) -> None:
    with pytest.raises(SourceNotAllowed):
        S3Source(s3, "bucket", "", ["other"])

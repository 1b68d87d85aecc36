from pathlib import Path

import pytest

from genoferry.errors import SettingsError, SourceNotAllowed
from genoferry.staging.allowlist import (
    AllowList,
    check_addresses,
    check_bucket,
    check_path,
    check_secret,
    check_url,
)

HOSTS = (
    "data.example.org",
    "odd.example.org:8443",
    "127.0.0.1:9000",
    "localhost:9001",
    "[::1]:9002",
    "Upper.Example.ORG",
)


@pytest.mark.parametrize(
    ("text", "origin", "target"),
    [
        ("https://data.example.org/a/b.c4gh", ("https", "data.example.org", 443), "/a/b.c4gh"),
        ("https://DATA.example.org.:443", ("https", "data.example.org", 443), "/"),
        ("https://upper.example.org/%2e?x=1&y=%20#gone", ("https", "upper.example.org", 443), "/%2e?x=1&y=%20"),
        ("https://odd.example.org:8443/ü", ("https", "odd.example.org", 8443), "/%C3%BC"),
        ("http://127.0.0.1:9000/", ("http", "127.0.0.1", 9000), "/"),
        ("http://localhost:9001/", ("http", "localhost", 9001), "/"),
        ("http://[::1]:9002/", ("http", "::1", 9002), "/"),
    ],
)
def test_allowed(text: str, origin: tuple[str, str, int], target: str) -> None:
    url = check_url(text, HOSTS)
    assert (url.origin, url.target) == (origin, target)


@pytest.mark.parametrize(
    "text",
    [
        "https://other.example.org/",
        "https://data.example.org.evil.org/",
        "https://evil-data.example.org/",
        "https://data.example.org:8443/",
        "https://odd.example.org/",
        "http://data.example.org/",
        "http://data.example.org:443/",
        "http://odd.example.org:8443/",
        "http://127.0.0.1/",
        "https://127.0.0.1/",
        "http://127.0.0.2:9000/",
        "http://2130706433:9000/",
        "http://0x7f.1:9000/",
        "https://user@data.example.org/",
        "https://data.example.org@evil.org/",
        "https://data.example.org\\@evil.org/",
        "https://data.example.org /",
        "https://data.example.org/\r\nHost: evil",
        "https://data.example.org:0/",
        "https://data.example.org:99999/",
        "https://[::1/",
        "ftp://data.example.org/",
        "file:///etc/passwd",
        "//data.example.org/",
        "data.example.org",
        "https:///x",
        "",
    ],
)
def test_refused(text: str) -> None:
    with pytest.raises(SourceNotAllowed) as caught:
        check_url(text, HOSTS)
    assert "evil" not in str(caught.value)


def test_nothing_is_allowed_by_default() -> None:
    nothing = AllowList()
    for check in (
        lambda: check_url("https://data.example.org/", nothing.hosts),
        lambda: check_bucket("bucket", nothing.buckets),
        lambda: check_secret("secret", nothing.secret_prefixes),
    ):
        with pytest.raises(SourceNotAllowed):
            check()


@pytest.mark.parametrize(
    "address",
    [
        "169.254.169.254",
        "fe80::1%eth0",
        "fd00:ec2::254",
        "100.100.100.200",
        "168.63.129.16",
        "127.0.0.1",
        "::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::a9fe:a9fe",
        "2002:a9fe:a9fe::",
        "0.0.0.0",  # noqa: S104  # an address to refuse
        "::",
        "224.0.0.1",
        "255.255.255.255",
    ],
)
def test_addresses_that_no_source_has(address: str) -> None:
    with pytest.raises(SourceNotAllowed):
        check_addresses("data.example.org", ["192.0.2.7", address])


def test_addresses_that_sources_have() -> None:
    check_addresses("data.example.org", ["93.184.216.34", "10.1.2.3", "2606:2800::1", "192.168.0.7"])
    check_addresses("localhost", ["127.0.0.1", "::1"])
    check_addresses("127.0.0.1", ["127.0.0.1"])


def test_even_a_listed_link_local_address_is_refused() -> None:
    with pytest.raises(SourceNotAllowed):
        check_addresses("169.254.169.254", ["169.254.169.254"])


@pytest.mark.parametrize("path", ["a", "a/b.c4gh", "a b/ü..x", "...", "a%2fb"])
def test_paths_below(path: str) -> None:
    assert check_path(path) == path


@pytest.mark.parametrize("path", ["", "/a", "a/", "a//b", "..", "a/../b", "./a", "a\\b", "a\0b", "a\nb", "a/.."])
def test_paths_that_leave(path: str) -> None:
    with pytest.raises(SourceNotAllowed):
        check_path(path)


def test_prefixes_and_buckets() -> None:
    assert check_secret("genoferry/key", ("genoferry/",)) == "genoferry/key"
    assert check_bucket("data", ("data",)) == "data"
    for refused in (lambda: check_secret("other/key", ("genoferry/",)), lambda: check_bucket("database", ("data",))):
        with pytest.raises(SourceNotAllowed):
            refused()


@pytest.mark.parametrize("entries", [{"file_roots": ("data",)}, {"secret_prefixes": ("",)}, {"hosts": ("",)}])
def test_entries_that_would_allow_more_than_they_seem_to(entries: dict[str, tuple[str, ...]]) -> None:
    with pytest.raises(SettingsError):
        AllowList(**entries)


def test_absolute_roots_are_fine(tmp_path: Path) -> None:
    assert AllowList(file_roots=(str(tmp_path),)).file_roots == (str(tmp_path),)

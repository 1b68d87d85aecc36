"""What a sender may point at. Everything is refused that the operator's lists don't hold (design, section 3).

Each check raises `SourceNotAllowed`, whose message names the setting to change and never what the sender wrote.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address
from pathlib import Path, PurePosixPath
from urllib.parse import quote, urlsplit

from genoferry.errors import SettingsError, SourceNotAllowed

DEFAULT_PORTS = {"https": 443, "http": 80}

NEVER = {ip_address(a) for a in ("100.100.100.200", "168.63.129.16", "192.0.0.192", "fd00:ec2::254")}
"""Metadata services outside the link-local ranges: Alibaba Cloud, Azure, Oracle Cloud, AWS over IPv6."""

NAT64 = IPv6Network("64:ff9b::/96")


@dataclass(frozen=True, slots=True)
class AllowList:
    """What is allowed; empty, the default, allows nothing. `hosts` holds `host` (port 443) or `host:port`.

    Plain http is for loopback alone, and there only for a `host:port` that is listed.
    Raises `SettingsError` for an entry that would allow more than it seems to.
    """

    file_roots: tuple[str, ...] = ()
    key_roots: tuple[str, ...] = ()
    hosts: tuple[str, ...] = ()
    buckets: tuple[str, ...] = ()
    secret_prefixes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if not all(Path(root).is_absolute() for root in (*self.file_roots, *self.key_roots)):
            raise SettingsError("A root in GENOFERRY_ALLOW_FILE_ROOTS or _KEY_ROOTS is not absolute.")
        if not all((*self.hosts, *self.buckets, *self.secret_prefixes)):
            raise SettingsError("An entry in GENOFERRY_ALLOW_HOSTS, _BUCKETS or _SECRET_PREFIXES is empty.")


@dataclass(frozen=True, slots=True)
class Url:
    """A URL taken apart: `target` is path and query, as they go on the wire."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def origin(self) -> tuple[str, str, int]:
        return self.scheme, self.host, self.port


def check_url(text: str, hosts: Iterable[str]) -> Url:
    """The URL, if its scheme, host and port are allowed. Addresses are checked apart, by `check_addresses`."""
    url = _parse(text)
    entries = {_entry(entry) for entry in hosts}
    listed = (url.host, url.port) in entries or ((url.host, None) in entries and url.port == 443)
    if not listed:
        raise SourceNotAllowed("A host is not in GENOFERRY_ALLOW_HOSTS. Ask the operator to add it.")
    if url.scheme != "https" and not is_loopback(url.host):
        raise SourceNotAllowed("Plain http is allowed to loopback only. Use https.")
    return url


def _parse(text: str) -> Url:
    malformed = SourceNotAllowed("A URL is malformed or holds a user name. Give scheme, host, port and path alone.")
    if any(ord(c) <= 32 or c == "\\" or ord(c) == 127 for c in text):
        raise malformed
    try:
        parts = urlsplit(text)
        host, port = (parts.hostname or "").rstrip("."), parts.port
    except ValueError:
        raise malformed from None
    if parts.scheme not in DEFAULT_PORTS or not host or "@" in parts.netloc or port == 0:
        raise malformed
    query = f"?{quote(parts.query, safe=_PLAIN)}" if parts.query else ""
    target = quote(parts.path or "/", safe=_PLAIN) + query
    return Url(parts.scheme, host, port or DEFAULT_PORTS[parts.scheme], target)


_PLAIN = "/?%:@!$&'()*+,;=~"
"""What a URL's path and query hold as it is (RFC 3986, sections 3.3 and 3.4); "%" because they are quoted already."""


def _entry(entry: str) -> tuple[str, int | None]:
    text = entry.strip().lower()
    host, colon, port = text.rpartition(":")
    if text.endswith("]") or not colon or (":" in host and not host.endswith("]")):
        host, port = text, ""  # no port: a name, or an IPv6 address with or without its brackets
    return host.strip("[]").rstrip("."), int(port) if port.isdecimal() else None


def is_loopback(host: str) -> bool:
    """Whether the name itself says loopback; what it resolves to doesn't count."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def check_addresses(host: str, addresses: Iterable[str]) -> None:
    """Refuse a host that resolves to where no source is: metadata services, link-local, and so on.

    Loopback is for a host that is named so in the list (else a name that its owner points at 127.0.0.1 would reach
    the worker's own machine). Private ranges are allowed: the operator listed the host.
    """
    for address in map(_unwrap, addresses):
        loopback = address.is_loopback and is_loopback(host)
        bad = address.is_link_local or address.is_multicast or address.is_unspecified or address.is_reserved
        if not loopback and (address.is_loopback or bad or address in NEVER):
            raise SourceNotAllowed("A host resolves to an address that no source may have. Ask the operator.")


def _unwrap(text: str) -> IPv4Address | IPv6Address:
    """The address itself, or the IPv4 address that it carries."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv4Address):
        return address
    embedded = IPv4Address(int(address) & 0xFFFFFFFF) if address in NAT64 else None
    return address.ipv4_mapped or address.sixtofour or embedded or address


def check_path(path: str) -> str:
    """A path below a base (folder, prefix, URL): relative, without `..`, empty names, backslashes and controls."""
    bad_text = not path or "\\" in path or any(ord(c) < 32 or ord(c) == 127 for c in path)
    if bad_text or any(name in ("", ".", "..") for name in path.split("/")):
        raise SourceNotAllowed("A file's path is absolute, empty or leaves its folder. Give one below the source.")
    return path


def check_file(path: Path, roots: Iterable[str]) -> tuple[Path, PurePosixPath]:
    """The allowed root that holds the file, and the file's place in it, every symbolic link followed."""
    real = path.resolve()
    for root in (Path(entry).resolve() for entry in roots):
        if real != root and real.is_relative_to(root):
            return root, PurePosixPath(real.relative_to(root))
    raise SourceNotAllowed("A file is not in an allowed folder (GENOFERRY_ALLOW_FILE_ROOTS, _KEY_ROOTS).")


def check_bucket(bucket: str, buckets: Iterable[str]) -> str:
    if bucket not in set(buckets):
        raise SourceNotAllowed("A bucket is not in GENOFERRY_ALLOW_BUCKETS. Ask the operator to add it.")
    return bucket


def check_secret(secret_id: str, prefixes: Iterable[str]) -> str:
    if not secret_id.startswith(tuple(prefixes)):
        raise SourceNotAllowed("A secret is not in GENOFERRY_ALLOW_SECRET_PREFIXES. Ask the operator to add it.")
    return secret_id

"""Small changes to files that were written."""

from __future__ import annotations

import gzip
from collections.abc import Callable
from pathlib import Path

import zstandard

from genoferry.testing.genomes import gzip_bytes
from genoferry.testing.odd_genotypes.row import Drawn, Files, Form

DS_HEADER = '##FORMAT=<ID=DS,Number=1,Type=Float,Description="Dosage">'


def written(form: Form) -> Callable[[Drawn], Files]:
    return lambda drawn: drawn.write(form)


def damage(form: Form, which: str, change: Callable[[bytes], bytes]) -> Callable[[Drawn], Files]:
    """Return a builder that changes the bytes of the file `which`: geno, variants or pheno."""

    def build(drawn: Drawn) -> Files:
        files = drawn.write(form)
        path: Path = getattr(files, which)
        path.write_bytes(change(path.read_bytes()))
        return files

    return build


def rewrite(form: Form, which: str, change: Callable[[list[str]], list[str]]) -> Callable[[Drawn], Files]:
    """Return a builder that changes the lines of a text file, compressed as it was."""

    def build(drawn: Drawn) -> Files:
        files = drawn.write(form)
        path: Path = getattr(files, which)
        save(path, "".join(f"{line}\n" for line in change(load(path).splitlines())))
        return files

    return build


def each_record(change: Callable[[list[str]], list[str]]) -> Callable[[list[str]], list[str]]:
    """Return a change of the fields of every line that isn't a header's."""
    return lambda lines: [line if line.startswith("#") else "\t".join(change(line.split("\t"))) for line in lines]


def nth_record(index: int, change: Callable[[list[str]], list[str]]) -> Callable[[list[str]], list[str]]:
    """Return a change of the fields of one line, headers not counted."""

    def edit(lines: list[str]) -> list[str]:
        at = sum(line.startswith("#") for line in lines) + index
        return [*lines[:at], "\t".join(change(lines[at].split("\t"))), *lines[at + 1 :]]

    return edit


def field(index: int, value: str) -> Callable[[list[str]], list[str]]:
    return lambda fields: [*fields[:index], value, *fields[index + 1 :]]


def load(path: Path) -> str:
    packed = path.read_bytes()
    if path.suffix == ".zst":
        return zstandard.ZstdDecompressor().decompressobj().decompress(packed).decode()
    return (gzip.decompress(packed) if path.suffix == ".gz" else packed).decode()


def save(path: Path, text: str) -> None:
    if path.suffix == ".zst":
        path.write_bytes(zstandard.compress(text.encode()))
    else:
        path.write_bytes(gzip_bytes(text) if path.suffix == ".gz" else text.encode())

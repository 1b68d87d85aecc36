"""The memory that is needed against the ceiling, and what the pre-flight itself imports."""

from __future__ import annotations

import subprocess
import sys
from struct import pack

from hypothesis import given
from hypothesis import strategies as st

from genoferry.pgsc.preflight import Site
from genoferry.pgsc.preflight.memory_estimate import MIB, need

MEASURED = {
    (250_000, 50, 1_000): 167, (250_000, 50, 250_000): 259, (250_000, 50, 1_000_000): 523,
    (1_000_000, 50, 1_000): 486, (1_000_000, 50, 250_000): 586, (1_000_000, 50, 1_000_000): 899,
}  # fmt: skip
"""Peak MiB of pgscatalog-match or -matchmerge, whichever took more, by variants, samples and variants of scores."""


def test_what_was_measured_lies_between() -> None:
    for sizes, measured in MEASURED.items():
        found = need(*sizes)
        assert found.low <= measured * MIB <= found.high


@given(st.tuples(*[st.integers(0, 10**7)] * 3), st.tuples(*[st.integers(0, 10**7)] * 3))
def test_more_needs_more(one: tuple[int, int, int], more: tuple[int, int, int]) -> None:
    less, all_of_it = need(*one), need(*(a + b for a, b in zip(one, more, strict=True)))
    assert less.low <= less.high
    assert (less.low, less.high) <= (all_of_it.low, all_of_it.high)


def test_a_ceiling_that_is_too_low_fails_and_one_that_is_close_is_doubtful(pfile) -> None:
    def status(ceiling: int | None) -> list[tuple[str, str]]:
        return [(found.status, found.code) for found in large.found("memory", site=Site(max_memory_bytes=ceiling))]

    large = pfile.having(geno=b"\x6c\x1b\x10" + pack("<IIB", 40_000_000, 60, 0))
    assert status(4 * 1024**3) == [("failed", "memory-ceiling")]
    assert status(16 * 1024**3) == [("doubtful", "memory-ceiling")]
    assert status(128 * 1024**3) == [("ok", "ok")]
    assert status(None) == [("ok", "ok")]


def test_it_fails_with_the_errors_class(pfile) -> None:
    from genoferry.errors import MemoryCeiling

    failure = pfile.only("PGS000001").verdict(site=Site(max_memory_bytes=1024)).failure
    assert isinstance(failure, MemoryCeiling)
    assert failure.trace_name is None


def test_nothing_heavy_is_imported() -> None:
    heavy = "{'numpy', 'polars', 'pandas', 'pgenlib', 'zstandard', 'pyarrow', 'boto3'}"
    code = f"import sys, genoferry.pgsc.preflight; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"

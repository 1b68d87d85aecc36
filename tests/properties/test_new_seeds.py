"""Random cohorts and scores with new seeds until the time is over (`make test-properties`).

`GENOFERRY_TEST_PROPERTY_SECONDS`: how long (an hour). `GENOFERRY_TEST_PROPERTY_SEED`: the one seed to run again.
"""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from genoferry.testing.random_runs.run import check_cut, check_refusal, check_scores

SECONDS = float(os.environ.get("GENOFERRY_TEST_PROPERTY_SECONDS") or 3600)
ONE = os.environ.get("GENOFERRY_TEST_PROPERTY_SEED")


def seeds() -> Iterator[int]:
    """Yield the seed that is asked for, or new ones until the time is over."""
    if ONE:
        yield int(ONE)
        return
    ends, seed = time.monotonic() + SECONDS, time.time_ns() // 1_000_000
    while time.monotonic() < ends:
        yield seed
        seed += 1


@pytest.mark.timeout(0)
def test_new_seeds_until_the_time_is_over(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pairs = 0
    for seed in seeds():
        for check in (check_scores, check_refusal, check_cut):
            folder = tmp_path / check.__name__
            folder.mkdir()
            pairs += check(seed, folder)
            shutil.rmtree(folder)
        with capsys.disabled():
            print(f"seed {seed}: {pairs} pairs of score and cohort so far", flush=True)  # noqa: T201
    assert pairs

"""The head as a process, and what one that died leaves behind: real processes, real locks, no Nextflow."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from genoferry.contracts.pipeline import PipelineParam
from genoferry.errors import CalculationStopped, GenomesMissing, HeadStillRuns, NextflowMissing
from genoferry.pgsc.nextflow import head, takeover
from genoferry.pgsc.nextflow.heartbeat import Heart, here
from genoferry.pgsc.nextflow.input_links import stock
from genoferry.pgsc.nextflow.layout import Places
from genoferry.procfs import stat_of
from genoferry.testing.waiting import wait_until

SLEEPER = "import sys, time; print('ready', flush=True); time.sleep(600)"
HOLDER = "import fcntl, sys, time; f = open(sys.argv[1], 'r+b'); fcntl.lockf(f, fcntl.LOCK_EX); " + SLEEPER


@pytest.fixture
def places(tmp_path: Path) -> Places:
    places = Places(tmp_path / "gw-test", 1)
    for folder in (places.launch, places.attempt_folder, places.workspace / "work" / "ab" / "cdef"):
        folder.mkdir(parents=True)
    return places


class Started:
    """Processes of a test, ended with it."""

    def __init__(self) -> None:
        self.all: list[subprocess.Popen[bytes]] = []

    def __call__(self, folder: Path, script: str, *arguments: str) -> subprocess.Popen[bytes]:
        child = subprocess.Popen([sys.executable, "-c", script, *arguments], cwd=folder, stdout=subprocess.PIPE)
        self.all.append(child)
        assert child.stdout is not None
        assert child.stdout.readline() == b"ready\n"
        return child


@pytest.fixture
def start() -> Iterator[Started]:
    started = Started()
    yield started
    for child in started.all:
        child.kill()
        child.wait()
        assert child.stdout is not None
        child.stdout.close()


def run(places: Places, script: str, stop: threading.Event | None = None, looks: list[int] | None = None) -> int:
    return head.run_head(
        ["/bin/sh", "-c", script],
        {"PATH": os.environ["PATH"]},
        places,
        look=lambda: looks.append(1) if looks is not None else None,
        poll_seconds=0.05,
        stop=stop or threading.Event(),
    )


def test_its_exit_code_and_what_it_prints(places: Places) -> None:
    looks: list[int] = []
    assert run(places, "pwd; echo oh >&2; exit 3", looks=looks) == 3
    assert head.tail(places.console) == [str(places.launch), "oh"]
    assert looks, "there is a look at its end, however short it was"
    assert run(places, "kill -9 $$") == -9


def has_ended(pid: int) -> bool:
    """Gone, or a zombie whose parent is slow."""
    stat = stat_of(pid)
    return stat is None or stat.zombie


def set_when(stop: threading.Event, path: Path) -> None:
    wait_until(path.exists, what="the task to start")
    stop.set()


def test_a_stop_ends_it_and_all_that_it_started(places: Places) -> None:
    stop, pid = threading.Event(), places.workspace / "pid"
    task = places.workspace / "work" / "ab" / "cdef"
    script = f"trap '' TERM; (cd {task}; sleep 600 & echo $! > {pid}; wait) & wait"
    threading.Thread(target=set_when, args=(stop, pid), daemon=True).start()
    grace, head.GRACE = head.GRACE, 0.5
    try:
        assert run(places, script, stop) < 0
    finally:
        head.GRACE = grace
    assert has_ended(int(pid.read_text()))


def test_a_task_that_outlives_a_killed_head_is_ended(places: Places) -> None:
    pid = places.workspace / "pid"
    task = places.workspace / "work" / "ab" / "cdef"
    assert run(places, f"cd {task}; sleep 600 & echo $! > {pid}; kill -9 $$") == -9
    assert has_ended(int(pid.read_text()))


def test_a_launcher_that_is_not_there(places: Places) -> None:
    with pytest.raises(NextflowMissing, match="GENOFERRY_NEXTFLOW_COMMAND"):
        head.run_head(["no-such-launcher"], {}, places, look=lambda: None, poll_seconds=1, stop=threading.Event())


def test_its_environment_is_bare(places: Places, monkeypatch: pytest.MonkeyPatch) -> None:
    secrets = {"AWS_SECRET_ACCESS_KEY": "s", "AWS_SESSION_TOKEN": "t", "GENOFERRY_KEY_SERVICE_PASSWORD": "p"}
    for name, value in (secrets | {"AWS_REGION": "eu-west-1", "JAVA_HOME": "/java"}).items():
        monkeypatch.setenv(name, value)
    found = head.environment(places, {"NXF_OFFLINE": "true"}, aws=False)
    assert found["JAVA_HOME"] == "/java"
    assert found["NXF_OFFLINE"] == "true"
    assert not [name for name in found if name.startswith("AWS_")]
    with_aws = head.environment(places, {}, aws=True)
    assert with_aws["AWS_REGION"] == "eu-west-1"
    assert not set(with_aws) & set(secrets)


def test_what_an_earlier_attempt_left_running_is_ended(places: Places, start: Started, tmp_path: Path) -> None:
    theirs = [start(places.launch, SLEEPER), start(places.workspace / "work" / "ab" / "cdef", SLEEPER)]
    stranger = start(tmp_path, SLEEPER)
    assert takeover.end_remains(places.workspace, session=12345)
    assert [child.poll() for child in theirs] == [None, None], "another session's are another attempt's"
    assert takeover.end_remains(places.workspace)
    assert all(has_ended(child.pid) for child in theirs)
    assert stranger.poll() is None


def test_a_lock_that_nobody_here_holds_is_removed_and_a_free_one_is_left(
    places: Places, start: Started, tmp_path: Path
) -> None:
    locks = [places.launch / ".nextflow" / "cache" / session / "db" / "LOCK" for session in ("held", "free")]
    for lock in locks:
        lock.parent.mkdir(parents=True)
        lock.touch()
    start(tmp_path, HOLDER, str(locks[0]))  # as a disk does that hasn't heard of a node's death
    assert takeover.clear_stale_locks(places.launch) == 1
    assert [lock.exists() for lock in locks] == [False, True]
    locks[0].touch()
    with locks[0].open("r+b") as file:
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB)


ROW = {"sampleset": "cohort", "chrom": "22", "format": "pfile"}
ROW |= {"geno": "a b/$(id).pgen", "variants": "x.pvar.zst", "pheno": "y.psam"}


def request() -> PipelineParam:
    params = {"pgs_id": "PGS000001", "target_build": "GRCh38"}
    return PipelineParam.model_validate({"id": "INTP1", "target_genomes": [ROW], "nxf_params_file": params})


def test_files_get_names_of_ours_and_keep_them_over_attempts(places: Places, tmp_path: Path) -> None:
    files = {}
    for key in ("geno", "variants", "pheno"):
        files[ROW[key]] = tmp_path / key
        files[ROW[key]].write_text(key)
    score = tmp_path / "$(id).txt.gz"
    score.write_bytes(b"\x1f\x8b rest")
    for _ in range(2):
        stock(request(), files, [score], places)
    found = {path.name: path for folder in (places.genomes, places.scores) for path in folder.iterdir()}
    assert set(found) == {"cohort_22.pgen", "cohort_22.pvar.zst", "cohort_22.psam", "score_0.txt.gz"}
    before = {name: path.stat().st_ino for name, path in found.items()}
    stock(request(), files, [score], places)
    assert {name: path.stat().st_ino for name, path in found.items()} == before
    files[ROW["geno"]].unlink()
    files[ROW["geno"]].write_text("fetched again, whole")
    stock(request(), files, [score], places)
    assert found["cohort_22.pgen"].read_text() == "fetched again, whole"


def test_an_input_of_the_workspace_is_linked_and_a_mirrors_file_is_not(places: Places, tmp_path: Path) -> None:
    own = places.workspace / "inputs"
    own.mkdir()
    files = {ROW[key]: own / key for key in ("geno", "variants", "pheno")}
    for path in (*files.values(), tmp_path / "mirrored"):
        path.write_text(path.name)
    stock(request(), files, [tmp_path / "mirrored"], places)
    assert (places.genomes / "cohort_22.pgen").samefile(own / "geno")
    assert not (places.scores / "score_0.txt").samefile(tmp_path / "mirrored")


def test_a_copy_keeps_the_time_of_its_last_change(places: Places, tmp_path: Path) -> None:
    files = {ROW[key]: tmp_path / "f" for key in ("geno", "variants", "pheno")}
    (tmp_path / "f").write_text("f")
    os.utime(tmp_path / "f", ns=(10**18, 10**18))
    stock(request(), files, [tmp_path / "f"], places)
    (score,) = places.scores.iterdir()
    assert score.stat().st_mtime_ns == 10**18


class Elsewhere(Heart):
    """A heart that beats on another machine."""

    def beat(self) -> None:
        super().beat()
        self.path.write_text(self.path.read_text().replace(here(), "another boot"))


def heart(places: Places, kind: type[Heart] = Heart) -> Heart:
    return kind(places.workspace / "heart", threading.Event(), silence=0.3, poll=0.02)


def test_where_nothing_beats_or_what_beat_was_here_nobody_waits(places: Places) -> None:
    heart(places).await_silence()
    heart(places).beat()
    waiting = heart(places)
    waiting.stop.set()
    waiting.await_silence()


def test_a_head_elsewhere_that_fell_silent_is_over(places: Places) -> None:
    heart(places, Elsewhere).beat()
    heart(places).await_silence()


def test_a_head_elsewhere_that_beats_keeps_its_workspace_and_its_lock(places: Places) -> None:
    other, done = heart(places, Elsewhere), threading.Event()
    other.beat()

    def live() -> None:
        while not done.wait(0.01):
            other.beat()

    beating = threading.Thread(target=live)
    beating.start()
    try:
        with pytest.raises(HeadStillRuns):
            takeover.take_over(places.workspace, places.launch, heart(places))
    finally:
        done.set()
        beating.join()
    other.end()
    heart(places).await_silence()


def test_a_stop_ends_the_waiting(places: Places) -> None:
    heart(places, Elsewhere).beat()
    waiting = heart(places)
    waiting.stop.set()
    with pytest.raises(CalculationStopped):
        waiting.await_silence()


def test_a_genome_that_is_not_there(places: Places) -> None:
    with pytest.raises(GenomesMissing):
        stock(request(), {}, [], places)

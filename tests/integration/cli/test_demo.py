"""`genoferry demo` as a person runs it: to its end, and interrupted."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import psutil


def start(state: Path, *options: str) -> subprocess.Popen[str]:
    environment = {"PATH": os.environ["PATH"], "HOME": os.environ.get("HOME", "/"), "PYTHONUNBUFFERED": "1"}
    environment |= {
        "AWS_PROFILE": "not-there",
        "AWS_SESSION_TOKEN": "stale",
        "GENOFERRY_TABLE": "elsewhere",
    }  # must not count
    command = [sys.executable, "-m", "genoferry", "demo", "--state", str(state), *options]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def left_over(state: Path) -> list[str]:
    """Processes that have anything to do with this folder."""
    found = []
    for process in psutil.process_iter(["cmdline", "cwd"]):
        words = [*(process.info["cmdline"] or ()), process.info["cwd"] or ""]
        if any(str(state) in word for word in words):
            found.append(" ".join(words))
    return found


def test_it_ends_with_the_expected_scores(tmp_path: Path) -> None:
    demo = start(tmp_path / "demo", "--samples", "60", "--variants", "1200")
    said, complaints = demo.communicate(timeout=200)
    assert demo.returncode == 0, said + complaints
    assert "PASS  every score is as expected" in said
    assert [name for name in ("Requested", "Created", "Deployed", "Succeeded", "Result") if name not in said] == []
    checks = re.findall(r"^(PGS\d+)\t(\w+)\t.*\t(PASS|FAIL)$", said, re.M)
    assert sorted(status for _, status, _ in checks) == ["calculated"] * 4 + ["failed"]
    assert {check for _, _, check in checks} == {"PASS"}
    report = re.search(r"^Report\s+(\S+)$", said, re.M)
    assert report is not None
    assert "<html" in Path(report[1]).read_text()
    assert left_over(tmp_path) == []


def test_a_demo_out_of_time_ends_all(tmp_path: Path) -> None:
    demo = start(tmp_path / "demo", "--samples", "60", "--variants", "1200", "--timeout", "1")
    _, complaints = demo.communicate(timeout=200)
    assert demo.returncode == 13
    assert "The demo has ended it, and all else that it had started." in complaints
    assert "goes on" not in complaints
    assert left_over(tmp_path) == []


def test_ctrl_c_ends_all_that_it_started(tmp_path: Path) -> None:
    demo = start(tmp_path / "demo", "--samples", "60", "--variants", "1200")
    assert demo.stdout is not None
    for line in demo.stdout:
        if "Created" in line:
            break
    demo.send_signal(signal.SIGINT)
    _, complaints = demo.communicate(timeout=60)
    assert demo.returncode == 130
    assert "Traceback" not in complaints
    assert left_over(tmp_path) == []
    assert list((tmp_path / "demo" / "jobs").iterdir()) == []

"""Each page of the documentation whose commands are for the embedded AWS, run out of its own text."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from tests.acceptance.pages import ROOT, not_run, run_pages

from genoferry.local.tools import ensure_venv
from genoferry.testing.harness import QUICK
from genoferry.testing.workers import end_jobs

pytestmark = pytest.mark.timeout(900)  # it may have to wait for another module with the same cohort

RunPages = Callable[..., list[str]]
RUN_HERE = {
    "docs/quickstart.md": ["tests/integration/cli/test_demo.py"],
    "docs/howto/send-by-aws-cli.md": [],
    "docs/howto/subscribe-a-backend.md": ["tests/acceptance/test_subscribers.py"],
    "docs/howto/operate.md": [],
    "docs/howto/add-a-handler.md": [],
    "payloads/README.md": [],
}
"""With the tests that do what their blocks do which aren't run here: each says so in a comment before it."""
PAGES = {
    path.relative_to(ROOT).as_posix()
    for path in (ROOT / "docs").rglob("*.md")
    if path.parent.name != "reference"
    if path.name != "index.md"
} | {"payloads/README.md"}


@pytest.fixture(scope="module")
def checkout(demo_cohort: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder that looks like a checkout after its set-up; the embedded AWS that the pages start in it is shared."""
    folder = tmp_path_factory.mktemp("checkout")
    (folder / ".venv").symlink_to(sys.prefix)
    for name in ("payloads", "infra", "docs"):
        (folder / name).symlink_to(ROOT / name)
    try:
        yield folder
    finally:
        end_jobs(folder / ".genoferry" / "local" / "jobs")
        subprocess.run([Path(sys.prefix) / "bin" / "genoferry", "local", "down"], cwd=folder, check=True)


@pytest.fixture(scope="module")
def run(checkout: Path) -> RunPages:
    """Run pages with little more than a bare machine has: genoferry's commands, and aws-cli. Workers are quick, since
    a page's first finds the lease and the long poll of the last page's."""
    aws_cli = ensure_venv(Path(__file__).with_name("requirements-awscli.txt"), ROOT / ".venv-awscli") / "bin"
    path = [f"{sys.prefix}/bin", "/usr/local/bin", "/usr/bin", "/bin", str(aws_cli)]
    environment = {"PATH": ":".join(path), "HOME": str(checkout), "NO_COLOR": "1"} | QUICK
    environment |= {name: os.environ[name] for name in ("LANG", "GENOFERRY_HOME") if name in os.environ}
    return lambda *pages: run_pages(pages, checkout, environment)


def payload(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((ROOT / "payloads" / name).read_text())
    return found


def test_quickstart(run: RunPages, checkout: Path) -> None:
    _, _, request, _ = run("docs/quickstart.md")
    assert "Succeeded" in request
    assert (checkout / "scores" / "report.json").exists()
    assert "worker stopped" in (checkout / "worker.log").read_text(), "it ends before the servers do"


def test_send_by_aws_cli(run: RunPages, checkout: Path) -> None:
    sent, followed, again, _ = run("docs/howto/send-by-aws-cli.md")
    assert "Succeeded" in followed
    ids = re.findall(r'"MessageId": "(\S+)"', sent + again)
    assert len(set(ids)) == 2
    assert "rejected" not in (checkout / "worker.log").read_text()


def test_subscribe_a_backend(run: RunPages) -> None:
    _, _, subscribed, delivered = run("docs/howto/subscribe-a-backend.md")
    assert "SubscriptionArn" in subscribed
    (message,) = json.loads(delivered[delivered.index('{\n    "Messages"') :])["Messages"]
    event = json.loads(message["Body"])
    assert event["uuid"] == payload("calculate_scores_file.json")["uuid"]
    assert event["event"] in ("Succeeded", "Result")
    assert message["MessageAttributes"]["event"]["StringValue"] == event["event"]


def test_operate(run: RunPages) -> None:
    """With the environment, and the job, of the page before."""
    *_, printed = run("payloads/README.md", "docs/howto/operate.md")
    assert "ok\twork queue" in printed
    newest = re.search(r"^uuid\t.*\n(\S+)\t", printed, re.M)
    assert newest is not None
    assert f"Request: CalculateScores {newest[1]}" in printed


def test_add_a_handler(run: RunPages) -> None:
    schema, _, made = run("docs/howto/add-a-handler.md")
    assert '"ChecksumFiles"' in schema
    files = payload("calculate_scores_file.json")["body"]["source"]["files"]
    for file in files:
        assert f"{file['sha256']}  {file['path'].removesuffix('.c4gh')}" in made


@pytest.mark.parametrize("page", RUN_HERE)
def test_what_is_not_run_says_why(page: str) -> None:
    reasons = not_run(page)
    assert [re.findall(r"tests/\S+\.py", reason) for reason in reasons] == [[path] for path in RUN_HERE[page]]
    assert all((ROOT / path).exists() for path in RUN_HERE[page])


@pytest.mark.parametrize("page", sorted(PAGES - set(RUN_HERE)))
def test_each_other_page_names_its_tier(page: str) -> None:
    """A target of make; the generated reference is compared with the code by tests/unit/docs."""
    targets = set(re.findall(r"^([a-z0-9-]+):", (ROOT / "Makefile").read_text(), re.M))
    named = set(re.findall(r"`make (test[a-z0-9-]*)", (ROOT / page).read_text()))
    assert named
    assert named <= targets

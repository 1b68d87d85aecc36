"""Logs: a canary planted anywhere in an entry doesn't come out."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
import threading
from pathlib import Path

import pytest
import structlog
from pydantic import SecretStr

from genoferry import telemetry
from genoferry.errors import GenoferryError

CANARY = "CANARYd34db33f"
PEM = f"-----BEGIN CRYPT4GH PRIVATE KEY-----\n{CANARY}\n-----END CRYPT4GH PRIVATE KEY-----"


@pytest.fixture
def written(monkeypatch):
    """What is written to stderr; what `configure` sets is as before afterwards."""
    written = io.StringIO()
    monkeypatch.setattr(sys, "stderr", written)
    for owner, name in (
        (sys, "excepthook"),
        (sys, "unraisablehook"),
        (threading, "excepthook"),
        (logging, "lastResort"),
    ):
        monkeypatch.setattr(owner, name, getattr(owner, name))
    before, root = structlog.get_config(), logging.getLogger()
    handlers, level = list(root.handlers), root.level
    yield written
    structlog.configure(**before)
    logging.captureWarnings(False)
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture(params=["json", "console"])
def log(request, written):
    """A logger as a worker has it, at debug level, and what it wrote."""
    telemetry.configure("debug", request.param)
    return structlog.get_logger(), written


class Holder:
    def __repr__(self) -> str:
        return f"Holder({PEM})"


SECRETS = {
    "private_key": CANARY,
    "privateKey": CANARY,
    "passphrase": CANARY,
    "password": CANARY,
    "wrapping_password": CANARY,
    "client_secret": CANARY,
    "aws_secret_access_key": CANARY,
    "access_token": CANARY,
    "Authorization": CANARY,
    "key_material": CANARY,
    "any_bytes": CANARY.encode(),
    "any_bytearray": bytearray(CANARY.encode()),
    "secret_type": SecretStr(CANARY),
    "nested": {"deep": [{"password": CANARY}, (CANARY.encode(),)]},
    "a_set": {CANARY.encode()},
    "by_look": f"it is {PEM}",
    "cut_off": PEM[:60],
    "header": f"Bearer {CANARY}",
    "basic": f"Basic {CANARY}",
    "url": f"https://h/x?X-Amz-Signature={'ab12' * 4}&y=1",
    "object": Holder(),
    "error": ValueError(PEM),
    "keys": {PEM: 1},
}


@pytest.mark.parametrize("name", SECRETS)
def test_what_is_secret_by_name_type_or_look_is_redacted(log, name):
    logger, written = log
    logger.debug("event", **{name: SECRETS[name]})
    assert CANARY not in written.getvalue()
    assert "ab12ab12" not in written.getvalue()
    assert telemetry.REDACTED in written.getvalue()


def test_what_is_not_secret_is_not(log):
    logger, written = log
    logger.info("event", secret_id="s-1", uuid="u-1", count=3, token_url="https://h/token", cause="because")
    assert all(word in written.getvalue() for word in ("s-1", "u-1", "3", "https://h/token", "because"))


def test_the_event_itself_is_redacted(log):
    logger, written = log
    logger.warning(f"got {PEM}")
    assert CANARY not in written.getvalue()


def test_a_traceback_shows_neither_secret_messages_nor_variables(log):
    logger, written = log
    held = "canary" + "-of-a-local-variable"
    try:
        raise ValueError(PEM)
    except ValueError:
        logger.exception("unexpected")
    assert CANARY not in written.getvalue()
    assert held not in written.getvalue()
    assert "ValueError" in written.getvalue()


def test_a_vendors_warning_is_redacted_and_its_chatter_left_out(log):
    _, written = log
    logging.getLogger("vendor").warning("retrying %s", f"https://h/?X-Amz-Signature={'ab12' * 4}")
    logging.getLogger("vendor").debug("chatter")
    assert "retrying" in written.getvalue()
    assert "ab12ab12" not in written.getvalue()
    assert "chatter" not in written.getvalue()


def test_json_lines_are_json(written, monkeypatch):
    monkeypatch.setattr(sys, "stderr", written)  # pytest has put its own there since the fixture's set-up
    telemetry.configure("info", "json")
    structlog.get_logger().debug("hidden")
    structlog.get_logger().info("shown", uuid="u")
    (line,) = written.getvalue().splitlines()
    assert json.loads(line) | {"timestamp": ""} == {"event": "shown", "uuid": "u", "level": "info", "timestamp": ""}


def test_a_traceback_names_errors_and_repeats_only_our_own_messages(log):
    """A parser's message quotes what it could not parse, which may be a genotype."""
    logger, written = log
    genotype = "-".join(("canary", "genotype"))
    try:
        try:
            raise ValueError(genotype)
        except ValueError as error:
            raise GenoferryError("ours") from error
    except GenoferryError:
        logger.exception("unexpected")
    assert genotype not in written.getvalue()
    assert "builtins.ValueError" in written.getvalue()
    assert "GenoferryError: ours" in written.getvalue()
    assert "raise ValueError(genotype)" in written.getvalue()


OTHERS_WORDS = Path(__file__).with_name("others_words.py")


def test_all_that_a_process_says_is_json():
    """A program of its own, since the hooks are a process's: each way in which others write to stderr, once."""
    said = subprocess.run([sys.executable, OTHERS_WORDS, CANARY], capture_output=True, text=True, check=False)
    entries = [json.loads(line) for line in said.stderr.splitlines()]
    assert {(entry["event"].partition(":")[0], entry.get("logger")) for entry in entries} == {
        ("Failed to parse headers", "urllib3.connection"),
        ("a logger without handlers", "alone"),
        ("log record is broken", "vendor"),
        (str(OTHERS_WORDS), "py.warnings"),
        ("thread died", None),
        ("exception was ignored", None),
        ("Task exception was never retrieved", "asyncio"),
        ("exception was not handled", None),
    }
    assert len(entries) == 8
    assert CANARY not in said.stderr
    assert said.stdout == ""
    errors = [entry["exception"].splitlines()[-1] for entry in entries if "exception" in entry]
    assert errors == ["builtins.ValueError"] * 5
    assert all(entry["timestamp"] and entry["level"] for entry in entries)
    assert said.returncode == 1

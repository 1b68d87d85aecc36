"""What `make mutants` makes of mutmut's outcomes: which survivor is let pass, and what fails."""

from __future__ import annotations

import importlib.util
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]
spec = importlib.util.spec_from_file_location("mutation_run", ROOT / "tests" / "mutation" / "run.py")
assert spec is not None
assert spec.loader is not None
run = sys.modules["mutation_run"] = importlib.util.module_from_spec(spec)
spec.loader.exec_module(run)

DIFF = """--- src/genoferry/ledger/leases.py
+++ src/genoferry/ledger/leases.py
@@ -{line},4 +{line},4 @@
     def stale(self, key: str) -> bool:
         now = self.monotonic()
-        return now - known >= length
+        return now - known > length
         # end
"""
NAME = "genoferry.ledger.leases.xǁObservedǁstale__mutmut_7"
CHANGE = run.Change("leases.Observed.stale", "return now - known >= length", "return now - known > length")
OTHER = run.Change("states.tell", "a = 1", "a = 2")


@pytest.mark.parametrize("line", [1, 40])
def test_a_change_is_the_same_on_any_line(line):
    assert run.change_of(NAME, DIFF.format(line=line)) == CHANGE


@pytest.mark.parametrize(
    ("mutant", "function"),
    [
        ("genoferry.ledger.states.x_tell__mutmut_1", "states.tell"),
        ("genoferry.ledger.states.x__next_attempt__mutmut_12", "states._next_attempt"),
        ("genoferry.ledger.leases.xǁLeasesǁ_until__mutmut_3", "leases.Leases._until"),
    ],
)
def test_a_mutants_function_is_read_from_its_name(mutant, function):
    assert run.function_of(mutant) == function


def outcome(status, change=CHANGE):
    return run.Outcome(NAME, status, change)


@pytest.mark.parametrize(
    ("outcomes", "reasons", "faults", "text"),
    [
        ([outcome("killed"), outcome("timeout", OTHER)], {}, 0, "2 killed (1 by a time-out), 0 survived"),
        ([outcome("survived")], {CHANGE: "equal"}, 0, "makes no difference: equal"),
        ([outcome("survived"), outcome("survived")], {CHANGE: "equal"}, 0, "2 survived (2 explained, 0 not)"),
        ([outcome("survived")], {}, 1, f"SURVIVED: {NAME}"),
        ([outcome("no tests")], {}, 1, f"NO TESTS: {NAME}"),
        ([outcome("suspicious")], {CHANGE: "equal"}, 2, f"SUSPICIOUS: {NAME}"),
        ([outcome("killed")], {CHANGE: "equal"}, 1, "STALE"),
        ([outcome("survived")], {OTHER: "equal"}, 2, "    - a = 1\n    + a = 2"),
    ],
)
def test_what_isnt_accounted_for_fails(capsys, outcomes, reasons, faults, text):
    assert run.report(outcomes, reasons, complete=True) == faults
    assert text in capsys.readouterr().out


def test_a_run_of_some_calls_nothing_stale():
    assert run.report([outcome("killed")], {OTHER: "equal"}, complete=False) == 0


def test_every_explanation_can_be_read():
    reasons = run.explained()
    assert reasons
    assert all(why.endswith(".") for why in reasons.values())
    assert all(change.before != change.after for change in reasons)


def test_every_module_and_test_named_exists():
    """Of a path that was renamed mutmut would make no mutant, and the run would pass."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["mutmut"]
    paths = [*config["source_paths"], *config["only_mutate"], *config["pytest_add_cli_args_test_selection"]]
    assert [path for path in paths if not (ROOT / path).exists()] == []

"""Mutate the ledger's modules, run the unit tests against each mutant, account for every survivor (`make mutants`).

What is mutated and which tests run is `[tool.mutmut]` in pyproject.toml. A survivor is a gap in the tests, or it makes
no difference: then explained.toml says why. The exit code is 1 where a survivor isn't explained, where an explained one
survives no more (or the list would rot), or where a mutant was left undecided. With names of mutants
(`make mutants MUTANTS='genoferry.ledger.states.x_tell*'`) only these are run, on what the last run left, and no
explanation counts as stale.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import tomllib
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
EXPLAINED = HERE / "explained.toml"
FOLDER = ROOT / "mutants"
"""Where mutmut keeps its copy of the source and the tests; the name is its own."""
LOG = FOLDER / "run.log"
MUTMUT = (sys.executable, "-c", "from mutmut.__main__ import cli; cli()", "run", "--max-children=2")
KILLED = frozenset({"killed", "timeout"})
SURVIVED = frozenset({"survived", "no tests"})


@dataclass(frozen=True)
class Change:
    """What a mutant changes, whichever line it is on: `function` is `module.function` or `module.Class.method`."""

    function: str
    before: str
    after: str

    def __str__(self) -> str:
        return "\n".join([f"  {self.function}", *_prefixed("-", self.before), *_prefixed("+", self.after)])


@dataclass(frozen=True)
class Outcome:
    name: str
    status: str
    change: Change


def _prefixed(sign: str, text: str) -> list[str]:
    return [f"    {sign} {line}" for line in text.splitlines()]


def function_of(mutant: str) -> str:
    """Return `leases.Leases.take` for mutmut's `genoferry.ledger.leases.xǁLeasesǁtake__mutmut_3`."""
    module, _, mangled = mutant.rpartition(".")
    name = mangled.rpartition("__mutmut_")[0]
    own = name.removeprefix("xǁ").replace("ǁ", ".") if name.startswith("xǁ") else name.removeprefix("x_")
    return f"{module.rpartition('.')[2]}.{own}"


def change_of(mutant: str, diff: str) -> Change:
    """Return what a unified diff takes away and what it puts there, without indentation."""
    body = [line for line in diff.splitlines() if not line.startswith(("---", "+++"))]
    before, after = ("\n".join(line[1:].strip() for line in body if line.startswith(sign)) for sign in "-+")
    return Change(function_of(mutant), before, after)


def explained(path: Path = EXPLAINED) -> dict[Change, str]:
    """Return the changes that make no difference, each with its reason."""
    reasons = tomllib.loads(path.read_text())["reason"]
    return {Change(**mutant): reason["why"] for reason in reasons for mutant in reason["mutants"]}


def mutate(names: list[str]) -> None:
    """Run mutmut, from the start or on these names only. What it prints (its progress, mostly) goes into a log."""
    if not names and FOLDER.exists():
        shutil.rmtree(FOLDER)  # mutmut runs a survivor again only when its function changes: a new test wouldn't count
    FOLDER.mkdir(exist_ok=True)
    print(f"Running mutmut; its progress goes to {LOG.relative_to(ROOT)}", flush=True)
    with LOG.open("w") as log:
        ran = subprocess.run([*MUTMUT, *names], stdout=log, stderr=subprocess.STDOUT, check=False)
    if ran.returncode:
        sys.exit(f"{LOG.read_text()[-10_000:]}\nmutmut ended with exit code {ran.returncode}")


def outcomes_of(names: list[str]) -> list[Outcome]:
    """Return what became of each mutant in the last run, or of those with these names."""
    from mutmut.__main__ import collect_source_file_mutation_data
    from mutmut.mutation.diff_apply import get_diff_for_mutant
    from mutmut.stats import status_by_exit_code

    mutants, _ = collect_source_file_mutation_data(mutant_names=names)
    return [
        Outcome(name, status_by_exit_code[code], change_of(name, get_diff_for_mutant(name, path=file.path)))
        for file, name, code in mutants
    ]


def report(outcomes: list[Outcome], reasons: dict[Change, str], *, complete: bool) -> int:
    """Print what survived and why, and the figures. Return the number of things to mend."""
    statuses = Counter(outcome.status for outcome in outcomes)
    survivors = [outcome for outcome in outcomes if outcome.status in SURVIVED]
    gaps = [outcome for outcome in survivors if outcome.change not in reasons]
    undecided = [outcome for outcome in outcomes if outcome.status not in KILLED | SURVIVED]
    stale = reasons.keys() - {outcome.change for outcome in survivors} if complete else set()
    for outcome in survivors:
        if outcome.change in reasons:
            print(f"\nsurvived, makes no difference: {reasons[outcome.change]}\n{outcome.change}")
    for change in sorted(stale, key=str):
        print(f"\nSTALE in {EXPLAINED.name}: it survives no more, or its line has changed\n{change}")
    for outcome in [*undecided, *gaps]:
        print(f"\n{outcome.status.upper()}: {outcome.name}\n{outcome.change}")
    print(
        f"\n{len(outcomes)} mutants: {sum(statuses[s] for s in KILLED)} killed ({statuses['timeout']} by a time-out), "
        f"{len(survivors)} survived ({len(survivors) - len(gaps)} explained, {len(gaps)} not), "
        f"{len(undecided)} undecided; {len(stale)} stale explanations"
    )
    return len(gaps) + len(undecided) + len(stale)


def main(names: list[str]) -> int:
    os.chdir(ROOT)
    start = time.monotonic()
    mutate(names)
    faults = report(outcomes_of(names), explained(), complete=not names)
    print(f"It took {(time.monotonic() - start) / 60:.0f} minutes.")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))

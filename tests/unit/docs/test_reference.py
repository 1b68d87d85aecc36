"""The generated reference pages say what the code says."""

from __future__ import annotations

import runpy
from pathlib import Path

import pytest

from genoferry import errors

DOCS = Path(__file__).parents[3] / "docs"
PAGES = runpy.run_path(str(DOCS / "generate.py"))["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_page_is_not_stale(name: str) -> None:
    assert (DOCS / "reference" / name).read_text() == PAGES[name](), "run `make docs`"


def test_codes_are_unique_and_documented() -> None:
    kinds = [
        kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.GenoferryError)
    ]
    codes = [kind.code for kind in kinds]
    assert sorted(codes) == sorted(set(codes))
    assert all(kind.__doc__ and len(kind().user_message.encode()) <= errors.MAX_USER_MESSAGE for kind in kinds)

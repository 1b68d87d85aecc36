"""Copies of one bad message are one dead letter."""

from __future__ import annotations

from genoferry.cli.dead_letters import DeadLetter, distinct


def letter(original: str, copy: str, time: str | None) -> DeadLetter:
    return DeadLetter(
        id=original, message_id=copy, group_id=None, code=None, cause=None, time=time, worker_version=None, body=""
    )


def test_copies_are_dropped_and_the_oldest_comes_first() -> None:
    letters = [letter("b", "1", "2026-01-02"), letter("a", "2", "2026-01-01"), letter("b", "3", "2026-01-03")]
    assert [(each.id, each.message_id) for each in distinct(letters)] == [("a", "2"), ("b", "1")]


def test_letters_without_a_time_are_kept() -> None:
    assert len(distinct([letter("a", "1", None), letter("b", "2", "2026-01-01")])) == 2

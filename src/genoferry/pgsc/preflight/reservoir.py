"""A sample of a file's lines, the same one each time."""

from __future__ import annotations

import random
from collections.abc import Callable
from math import exp, log1p
from typing import Generic, TypeVar

T = TypeVar("T")


class Draw(Generic[T]):
    """A sample without replacement of lines whose number isn't known beforehand.

    Source: K.-H. Li, "Reservoir-sampling algorithms of time complexity O(n(1+log(N/n)))", ACM Transactions on
    Mathematical Software 20 (1994), 481-493: algorithm L, which passes over lines without looking at them.
    """

    def __init__(self, size: int, seed: str, read: Callable[[bytes], T]) -> None:
        self._read = read
        self.kept: list[T] = []
        self.count = 0
        self._size, self._random = size, random.Random(seed)  # noqa: S311  # no secret: the same sample each time
        self._weight = 1.0
        self._next = size

    def take(self, lines: list[bytes]) -> None:
        start = self.count
        self.count += len(lines)
        if missing := self._size - len(self.kept):
            self.kept += [self._read(line) for line in lines[:missing]]
            if len(self.kept) < self._size:
                return
            self._next = self._size - 1
            self._skip()
        while self._next < self.count:
            self.kept[self._random.randrange(self._size)] = self._read(lines[self._next - start])
            self._skip()

    def _skip(self) -> None:
        self._weight *= exp(log1p(-self._random.random()) / self._size)
        self._next += int(log1p(-self._random.random()) / log1p(-self._weight)) + 1

"""What each thread of a staging keeps for itself: room for the plaintext of one part, used again for the next."""

from __future__ import annotations

import mmap

from genoferry.staging.cancellation import Halt
from genoferry.staging.decrypt import Opener
from genoferry.staging.plan import Plan
from genoferry.staging.ranges import Retry
from genoferry.staging.segments import Part, wanted


class Bench:
    """Mapped memory, not a bytearray: it goes back to the system as one piece, and only what is written counts."""

    def __init__(self, plan: Plan, retry: Retry, halt: Halt) -> None:
        self._opener = Opener(plan.origin, plan.layout, plan.header.data_keys, retry, halt)
        size = max((part.size for part in plan.parts), default=0)
        self._room = memoryview(mmap.mmap(-1, max(1, size), mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS))

    def plaintext(self, part: Part) -> memoryview:
        """The part, decrypted; good until the next call. Raises the errors of `Opener.fill`."""
        view = self._room[: part.size]
        self._opener.fill(wanted(part.extents), view)
        return view

    def check_tail(self) -> None:
        """See `Opener.check_tail`."""
        self._opener.check_tail()

"""What tests of genoferry, and of what talks to it, are made of: in-memory providers, doubles, made-up data.

The in-memory providers stand beside the real ones and pass the same tests; here they are in one place.
"""

from __future__ import annotations

from genoferry.aws.objects import MemoryObjects
from genoferry.compute.memory import MemoryRunner
from genoferry.ledger.memory import MemoryLedger
from genoferry.publisher import MemoryPublisher
from genoferry.queue.memory import MemoryQueue

__all__ = ["MemoryLedger", "MemoryObjects", "MemoryPublisher", "MemoryQueue", "MemoryRunner"]

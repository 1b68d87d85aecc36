"""A program that says something in each way that isn't ours; `test_telemetry.py` reads it. Its argument: a canary."""

from __future__ import annotations

import asyncio
import gc
import logging
import sys
import threading
import warnings

from genoferry import telemetry


def fail() -> None:
    raise ValueError(sys.argv[1])


class Finalized:
    def __del__(self) -> None:
        fail()


async def forgotten_task() -> None:
    async def failing() -> None:
        fail()

    task = asyncio.create_task(failing())
    await asyncio.wait([task])
    del task
    gc.collect()


telemetry.configure("info", "json")
try:
    fail()
except ValueError:
    logging.getLogger("urllib3.connection").warning("Failed to parse headers: Bearer %s", sys.argv[1], exc_info=True)
logging.getLogger("alone").propagate = False
logging.getLogger("alone").warning("a logger without handlers:\nsecond line")
logging.getLogger("vendor").warning("%d", "no number")
warnings.warn("old", stacklevel=1)
thread = threading.Thread(target=fail)
thread.start()
thread.join()
Finalized()
asyncio.run(forgotten_task())
fail()

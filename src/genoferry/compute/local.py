"""Jobs as detached processes of this machine, each in a folder of its own.

A job is a process group that outlives its worker. Its folder holds its credentials, its log, its scratch and
`process.json`: host, boot id, pid and start time, by which a later worker of this host finds it again. Where a
worker died between start and record, the process is found by its command line, which names its `job.json`.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil
import structlog

from genoferry.compute.credentials import write_private
from genoferry.compute.protocol import Handle, JobSpec, Observation
from genoferry.contracts.base import Contract
from genoferry.errors import SubmitFailed

log = structlog.get_logger()
TERM_SECONDS = 10.0
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class ProcessRef(Contract):
    """A local job's ref. A pid alone may be another process by now; with host, boot and start time it can't be."""

    host: str
    boot_id: str
    pid: int
    started: float


class Credentials(Protocol):
    """See `credentials.JobCredentials`."""

    def environment(self, uuid: str, attempt: int, folder: Path) -> Mapping[str, str]: ...

    def renew(self, uuid: str, attempt: int, folder: Path) -> None: ...


class LocalRunner:
    def __init__(
        self,
        root: Path,
        *,
        host: str,
        credentials: Credentials,
        boot_id: str | None = None,
        command: Sequence[str] = (sys.executable, "-m", "genoferry", "job", "run"),
    ) -> None:
        self._root = root
        self._host = host
        self._boot_id = boot_id or _BOOT_ID.read_text().strip()
        self._credentials = credentials
        self._command = list(command)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def key(self) -> str:
        return f"local:{self._host}"

    async def submit(self, spec: JobSpec) -> str:
        return await asyncio.to_thread(self._submit, spec)

    async def observe(self, handles: Sequence[Handle]) -> list[Observation]:
        return await asyncio.to_thread(lambda: [seen for h in handles if (seen := self._observe(h))])

    async def cancel(self, handle: Handle) -> None:
        await asyncio.to_thread(self._end, handle)

    async def logs(self, handle: Handle, tail: int) -> list[str]:
        try:
            text = await asyncio.to_thread((self._folder(handle.name) / "job.log").read_text, errors="replace")
        except FileNotFoundError:
            return []
        return text.splitlines()[-tail:]

    async def clean(self, handle: Handle) -> None:
        """End the job, then remove its folder with its scratch, which holds genotypes in clear."""
        await asyncio.to_thread(self._clean, handle)

    def _folder(self, name: str) -> Path:
        return self._root / name

    def _submit(self, spec: JobSpec) -> str:
        running = self._find(spec.name, spec.uri)
        if running is not None:
            return running.model_dump_json()
        folder = self._folder(spec.name)
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            ref = self._start(spec, folder)
        except OSError as error:
            raise SubmitFailed(f"The job's process could not be started: {error.strerror}.") from error
        return ref.model_dump_json()

    def _start(self, spec: JobSpec, folder: Path) -> ProcessRef:
        scratch = folder / "scratch"
        scratch.mkdir(mode=0o700, exist_ok=True)
        with (folder / "job.log").open("ab") as log:
            child = subprocess.Popen(
                [*self._command, spec.uri],
                cwd=scratch,
                env=dict(self._credentials.environment(spec.uuid, spec.attempt, folder)),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                umask=0o077,
            )
        self._children[spec.name] = child
        ref = self._ref(psutil.Process(child.pid))
        write_private(folder / "process.json", ref.model_dump_json())
        return ref

    def _ref(self, process: psutil.Process) -> ProcessRef:
        return ProcessRef(host=self._host, boot_id=self._boot_id, pid=process.pid, started=process.create_time())

    def _find(self, name: str, uri: str | None) -> ProcessRef | None:
        """The job's live process: by its record, else by its command line."""
        with suppress(FileNotFoundError, ValueError):
            ref = ProcessRef.model_validate_json((self._folder(name) / "process.json").read_text())
            if self._process(ref) is not None:
                return ref
        if uri is None:
            return None
        for process in psutil.process_iter(["cmdline"]):
            if uri in (process.info["cmdline"] or ()) and "job" in process.info["cmdline"]:
                return self._ref(process)
        return None

    def _process(self, ref: ProcessRef) -> psutil.Process | None:
        """The process that a ref means, if it lives."""
        if (ref.host, ref.boot_id) != (self._host, self._boot_id):
            return None
        try:
            process = psutil.Process(ref.pid)
            alive = process.create_time() == ref.started and process.status() != psutil.STATUS_ZOMBIE
        except psutil.NoSuchProcess:
            return None
        return process if alive else None

    def _observe(self, handle: Handle) -> Observation | None:
        ref = ProcessRef.model_validate_json(handle.ref) if handle.ref else self._find(handle.name, None)
        if ref is None:
            return Observation(handle, "gone", reason="no process of this job was found")
        if ref.host != self._host:
            return None
        child = self._children.get(handle.name)
        code = child.poll() if child and child.pid == ref.pid else None
        if self._process(ref) is not None and code is None:
            self._renew(handle)
            return Observation(handle, "running")
        if code is None:
            return Observation(handle, "failed", reason="the process ended while no worker was its parent")
        return Observation(handle, "failed" if code else "succeeded", exit_code=code)

    def _renew(self, handle: Handle) -> None:
        try:
            self._credentials.renew(handle.uuid, handle.attempt, self._folder(handle.name))
        except SubmitFailed as error:  # half of the session's time is left to try again
            log.warning("credentials not renewed", uuid=handle.uuid, cause=str(error))

    def _end(self, handle: Handle) -> None:
        """TERM, then KILL, to the whole process group."""
        ref = ProcessRef.model_validate_json(handle.ref) if handle.ref else self._find(handle.name, None)
        process = self._process(ref) if ref else None
        if process is None:
            return
        group = process.pid
        with suppress(ProcessLookupError, psutil.TimeoutExpired):
            os.killpg(group, signal.SIGTERM)
            process.wait(TERM_SECONDS)
        with suppress(ProcessLookupError):
            os.killpg(group, signal.SIGKILL)
        child = self._children.get(handle.name)
        if child is not None and child.pid == group:
            child.wait()

    def _clean(self, handle: Handle) -> None:
        self._end(handle)
        self._children.pop(handle.name, None)
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder(handle.name))

"""Jobs as detached processes of this machine, each in a folder of its own.

A job is a process group that outlives its worker. Its folder holds its credentials, its log, its scratch and
`process.json`: host, boot id, pid and start time, by which a later worker of this host finds it again. Where a
worker died between start and record, the process is found by its command line, which names its `job.json`.
"""

from __future__ import annotations

import asyncio
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import psutil
import structlog

from genoferry.compute.credentials import write_private
from genoferry.compute.processes import Stat, await_ends, in_session, stat_of, with_argument
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
    started: int


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
        running = self._find(spec)
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
        self._forget_cleaned()
        self._children[spec.name] = child
        ref = self._ref(child.pid)
        assert ref is not None  # noqa: S101  # a child of ours stays at least a zombie until we wait for it
        write_private(folder / "process.json", ref.model_dump_json())
        return ref

    def _forget_cleaned(self) -> None:
        """Let go of the children that another worker cleaned up after: each is a zombie until it is waited for."""
        for name, child in list(self._children.items()):
            if not self._folder(name).exists() and child.poll() is not None:
                del self._children[name]

    def _ref(self, pid: int) -> ProcessRef | None:
        stat = stat_of(pid)
        if stat is None:
            return None
        return ProcessRef(host=self._host, boot_id=self._boot_id, pid=pid, started=stat.started)

    def _recorded(self, handle: Handle) -> ProcessRef | None:
        """The ref that the ledger has, or else the folder."""
        if handle.ref:
            return ProcessRef.model_validate_json(handle.ref)
        try:
            return ProcessRef.model_validate_json((self._folder(handle.name) / "process.json").read_text())
        except FileNotFoundError:
            return None

    def _find(self, spec: JobSpec) -> ProcessRef | None:
        """The job's live process: by its record, else by its command line."""
        ref = self._recorded(Handle(spec.uuid, spec.attempt, spec.name, None))
        if ref is not None and (stat := self._stat(ref)) is not None and not stat.zombie:
            return ref
        pid = with_argument(spec.uri, beside="job")
        return self._ref(pid) if pid else None

    def _stat(self, ref: ProcessRef) -> Stat | None:
        """The process that a ref means, if there is still something of it."""
        if (ref.host, ref.boot_id) != (self._host, self._boot_id):
            return None
        stat = stat_of(ref.pid)
        return stat if stat and stat.started == ref.started else None

    def _observe(self, handle: Handle) -> Observation | None:
        ref = self._recorded(handle)
        if ref is None:
            return Observation(handle, "gone", reason="no process of this job was found")
        if ref.host != self._host:
            return None
        stat = self._stat(ref)
        if stat is not None and not stat.zombie:
            self._renew(handle)
            return Observation(handle, "running")
        child = self._children.get(handle.name)
        known = stat.exit_code if stat else None
        code = child.poll() if child and child.pid == ref.pid else known
        if code is None:
            return Observation(handle, "failed", reason="the process ended while no worker was its parent")
        return Observation(handle, "failed" if code else "succeeded", exit_code=code)

    def _renew(self, handle: Handle) -> None:
        try:
            self._credentials.renew(handle.uuid, handle.attempt, self._folder(handle.name))
        except SubmitFailed as error:  # half of the session's time is left to try again
            log.warning("credentials not renewed", uuid=handle.uuid, cause=str(error))

    def _end(self, handle: Handle) -> None:
        """TERM, then KILL, to all that the job started, whether its first process lives or not."""
        ref = self._recorded(handle)
        if ref is None or (ref.host, ref.boot_id) != (self._host, self._boot_id):
            return
        processes = in_session(ref.pid, self._folder(handle.name))
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        child = self._children.get(handle.name)
        if child is not None and child.pid == ref.pid:
            _reap(child)  # by its own handle, or its exit code would be lost to another's wait
        alive = await_ends([p for p in processes if p.pid != ref.pid or child is None], TERM_SECONDS)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await_ends(alive, TERM_SECONDS)

    def _clean(self, handle: Handle) -> None:
        self._end(handle)
        self._children.pop(handle.name, None)
        with suppress(FileNotFoundError):
            shutil.rmtree(self._folder(handle.name))


def _reap(child: subprocess.Popen[bytes]) -> None:
    try:
        child.wait(TERM_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()

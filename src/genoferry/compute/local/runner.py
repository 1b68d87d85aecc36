"""Jobs as detached processes of this machine, each in a folder of its own.

A job is a process group that outlives its worker. Its folder holds its credentials, its log, its scratch and
`process.json`: host, boot id, pid and start time, by which a later worker of this host finds it again. Where a
worker died between start and record, the process is found by its command line, which names its `job.json`. What a
job keeps for its next attempt is in a workspace beside it.
"""

from __future__ import annotations

import asyncio
import errno
import socket
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Protocol

import psutil
import structlog

from genoferry.compute.credentials import JobCredentials, assumed_role, write_private
from genoferry.compute.folders import age, clear, names_in
from genoferry.compute.local.limits import ADVICE, Shares, observe_end
from genoferry.compute.protocol import (
    Cause,
    Handle,
    JobSpec,
    Leftover,
    Observation,
    Workspace,
    parse_job_name,
    parse_workspace_name,
)
from genoferry.contracts.base import Contract
from genoferry.contracts.keys import job_key
from genoferry.contracts.limits import VARIABLE
from genoferry.errors import CleanUpFailed, SubmitFailed, SubmitUnavailable
from genoferry.files import last_lines
from genoferry.procfs import (
    Stat,
    await_ends,
    end_all,
    has_argument,
    in_session,
    stat_of,
    with_argument,
    working_below,
)
from genoferry.settings import Settings

log = structlog.get_logger()
TAIL_BYTES = 64 * 1024
"""Of a log, at most."""
WORKSPACE = "GENOFERRY_WORKSPACE"
"""Variable by which a job is told where its workspace is to be; it makes the folder where it needs one."""
_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
PASSING = {errno.EAGAIN, errno.ENOMEM, errno.ENOSPC, errno.EDQUOT, errno.EMFILE, errno.ENFILE, errno.EINTR}
"""What a process can't be started for now, and may be later (fork(2), open(2), write(2))."""


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
        workspaces: Path | None = None,
        shares: Shares = Shares(),  # noqa: B008  # it is frozen
        boot_id: str | None = None,
        command: Sequence[str] = (sys.executable, "-m", "genoferry", "job", "run"),
    ) -> None:
        self._root = root.resolve()  # as /proc tells a process's folder
        self._workspaces = (workspaces or root).resolve()
        self._host = host
        self._boot_id = boot_id or _BOOT_ID.read_text().strip()
        self._credentials = credentials
        self._shares = shares
        self._command = list(command)
        self._children: dict[str, subprocess.Popen[bytes]] = {}

    @property
    def key(self) -> str:
        return f"local:{self._host}"

    async def submit(self, spec: JobSpec) -> str:
        return await asyncio.to_thread(self._submit, spec)

    async def observe(self, handles: Sequence[Handle]) -> list[Observation]:
        return await asyncio.to_thread(lambda: [seen for h in handles if (seen := self._observe(h))])

    def listen(self, wake: Callable[[], None]) -> None:
        """A process tells nothing by itself; a job's own report does."""

    def take_changes(self) -> frozenset[str]:
        return frozenset()

    async def cancel(self, handle: Handle) -> None:
        if not await asyncio.to_thread(self._end, handle):
            raise CleanUpFailed

    async def logs(self, handle: Handle, tail: int) -> list[str]:
        return (await asyncio.to_thread(last_lines, self._folder(handle.name) / "job.log", TAIL_BYTES))[-tail:]

    def advice(self, cause: Cause) -> str | None:
        return ADVICE.get(cause)

    async def leftovers(self, deployment: str) -> list[Leftover]:
        return await asyncio.to_thread(self._leftovers, deployment)

    async def clean(self, handle: Handle) -> None:
        """End the job, then remove its folder with its scratch, which holds genotypes in clear."""
        await asyncio.to_thread(self._clean, handle)

    async def workspaces(self, deployment: str) -> list[Workspace]:
        names = await asyncio.to_thread(names_in, self._workspaces)
        found = [(name, parse_workspace_name(name, deployment)) for name in names]
        return [Workspace(*parsed, name, age(self._workspaces / name)) for name, parsed in found if parsed]

    async def discard(self, workspace: str) -> None:
        """Remove its folder, which holds genotypes in clear, and first end what still works in it."""
        await asyncio.to_thread(self._discard, self._workspaces / workspace)

    def _discard(self, folder: Path) -> None:
        if end_all(working_below(folder), self._shares.grace_seconds):
            raise CleanUpFailed
        clear(folder)

    def _leftovers(self, deployment: str) -> list[Leftover]:
        found = [(name, parse_job_name(name, deployment)) for name in names_in(self._root)]
        return [Leftover(Handle(*parsed, name, None), age(self._folder(name))) for name, parsed in found if parsed]

    def _folder(self, name: str) -> Path:
        return self._root / name

    def _submit(self, spec: JobSpec) -> str:
        folder = self._folder(spec.name)
        try:
            running = self._find(spec)
            if running is not None:
                return running.model_dump_json()
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            ref = self._start(spec, folder)
        except OSError as error:
            kind = SubmitUnavailable if error.errno in PASSING else SubmitFailed
            raise kind(f"The job's process could not be started: {error.strerror}.") from error
        return ref.model_dump_json()

    def _start(self, spec: JobSpec, folder: Path) -> ProcessRef:
        scratch = folder / "scratch"
        scratch.mkdir(mode=0o700, exist_ok=True)
        with (folder / "job.log").open("ab") as log:
            child = subprocess.Popen(
                [*self._command, spec.uri],
                cwd=scratch,
                env=self._environment(spec, folder),
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

    def _environment(self, spec: JobSpec, folder: Path) -> dict[str, str]:
        own = dict(self._credentials.environment(spec.uuid, spec.attempt, folder))
        workspace = self._workspaces / spec.workspace if spec.workspace else None
        own[VARIABLE] = self._shares.limits(folder, workspace).model_dump_json(exclude_none=True)
        return own | ({WORKSPACE: str(workspace)} if workspace else {})

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
        """The job's live process: by its record, else by its command line. Raises `SubmitFailed`."""
        ref = self._recorded(Handle(spec.uuid, spec.attempt, spec.name, None))
        if ref is not None and (stat := self._stat(ref)) is not None and not stat.zombie:
            if not has_argument(ref.pid, spec.uri, beside="job") and self._stat(ref) == stat:
                raise SubmitFailed(
                    "A job of another deployment has this job's folder. Give each deployment on a machine a"
                    " GENOFERRY_LOCAL_DIR of its own."
                )
            return ref
        pid = with_argument(spec.uri, beside="job", folder=self._folder(spec.name))
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
        return observe_end(handle, child.poll() if child and child.pid == ref.pid else known, self._folder(handle.name))

    def _renew(self, handle: Handle) -> None:
        try:
            self._credentials.renew(handle.uuid, handle.attempt, self._folder(handle.name))
        except (SubmitFailed, OSError) as error:  # half of the session's time is left to try again
            log.warning("credentials not renewed", uuid=handle.uuid, cause=str(error))

    def _end(self, handle: Handle) -> bool:
        """TERM, then KILL, to all that the job started, whether its first process lives or not. Whether all ended."""
        leaders = self._leaders(handle)
        processes = self._started_by(leaders, handle)
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.terminate()
        child = self._children.get(handle.name)
        if child is not None and child.pid in leaders:
            # by its own handle, or its exit code would be lost to another's wait
            _reap(child, self._shares.grace_seconds)
        alive = await_ends([p for p in processes if child is None or p.pid != child.pid], self._shares.grace_seconds)
        for process in alive:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        await_ends(alive, self._shares.grace_seconds)
        return not self._started_by(leaders, handle)

    def _started_by(self, leaders: set[int], handle: Handle) -> list[psutil.Process]:
        """What works in its folder or in a workspace of its job's."""
        folders = [self._folder(handle.name), *self._workspaces.glob(f"gw-*-{handle.uuid}-*")]
        return [process for leader in leaders for process in in_session(leader, folders)]

    def _leaders(self, handle: Handle) -> set[int]:
        """The first process of the job: by the ledger's ref; where it has none by the folder's record, which may be
        older than the process, and by its command line."""
        ref = self._recorded(handle)
        known = {ref.pid} if ref and (ref.host, ref.boot_id) == (self._host, self._boot_id) else set()
        if handle.ref:
            return known
        ending = f"/{job_key(handle.uuid, handle.attempt)}"
        found = with_argument(ending, beside="job", folder=self._folder(handle.name))
        return known | ({found} if found else set())

    def _clean(self, handle: Handle) -> None:
        if not self._end(handle):
            raise CleanUpFailed
        self._children.pop(handle.name, None)
        clear(self._folder(handle.name))


def _reap(child: subprocess.Popen[bytes], seconds: float) -> None:
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def build(_: AsyncExitStack, settings: Settings) -> LocalRunner:
    """Return the runner of this host."""
    compute = settings.compute
    credentials = JobCredentials(settings, assumed_role(compute.job_role_arn))
    return LocalRunner(
        compute.local_dir,
        workspaces=settings.workspaces,
        host=socket.gethostname(),
        credentials=credentials,
        shares=Shares.of(compute),
    )

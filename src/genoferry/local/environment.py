"""`genoferry local up|down|status|env`: the servers of one state folder, and what a worker exports to use them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from genoferry.errors import LocalError, LocalNotUp
from genoferry.local import emulator, record, s3server
from genoferry.local.deploy import Target, deploy, variables
from genoferry.local.locking import locked
from genoferry.local.ports import Ports, is_free
from genoferry.local.processes import alive, end
from genoferry.local.record import Record
from genoferry.local.server import Server, await_ready, start
from genoferry.local.tools import Tools, ensure_tools

DEPLOYMENT = "development"
ATTEMPTS = 3
"""Another process may take a free port before the server does; then other ports are tried."""
GRACES = {emulator.NAME: emulator.GRACE_SECONDS, s3server.NAME: s3server.GRACE_SECONDS}


@dataclass(frozen=True)
class Environment:
    """A running embedded AWS. `variables` is what a worker's environment needs, secrets included."""

    state: Path
    endpoint: str
    s3_endpoint: str
    variables: Mapping[str, str] = field(repr=False)


@dataclass(frozen=True)
class ServerStatus:
    name: str
    url: str
    pid: int | None
    running: bool
    log: Path


@dataclass(frozen=True)
class Status:
    state: Path
    servers: tuple[ServerStatus, ...]
    deployed: bool

    @property
    def up(self) -> bool:
        """All of it: servers and deployment."""
        return self.deployed and bool(self.servers) and all(server.running for server in self.servers)


def up(state: Path, *, ports: Ports | None = None) -> Environment:
    """Start what isn't running, deploy, and return when it serves. Idempotent: what runs is left alone.

    Raises `LocalError` (and `LocalToolsMissing`, `DeployFailed`), which names the log to look at.
    """
    state = _prepared(state)
    with locked(state / "lock"):
        tools = ensure_tools()
        for attempt in range(1, ATTEMPTS + 1):
            found = _ports_for(state, ports)
            try:
                found = _started(state, found, tools)
                break
            except LocalError:
                _end_all(state)
                if ports is not None or attempt == ATTEMPTS:
                    raise
        return _environment(state, _deployed(state, found))


def down(state: Path) -> None:
    """End the servers by the pids that `up` wrote down. Data stays in the state folder."""
    state = state.absolute()
    if state.is_dir():
        with locked(state / "lock"):
            _end_all(state)


def status(state: Path) -> Status:
    state = state.absolute()
    found = record.load(state)
    if found is None:
        return Status(state, (), deployed=False)
    urls = {emulator.NAME: emulator.url(found.ports), s3server.NAME: s3server.url(found.ports)}
    servers = tuple(_server_status(state, found, name, url) for name, url in urls.items())
    return Status(state, servers, deployed=bool(found.variables))


def env(state: Path) -> dict[str, str]:
    """The variables to export. Raises `LocalNotUp` where any server is not running."""
    found = record.load(state.absolute())
    if found is None or not status(state).up:
        raise LocalNotUp
    return dict(found.variables)


def _prepared(state: Path) -> Path:
    state = state.absolute()
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return state


def _ports_for(state: Path, ports: Ports | None) -> Record:
    """The folder's record, or a new one. Ports change only while nothing runs, since workers hold them."""
    found = record.load(state) or Record.new(ports or Ports.free())
    if not any(alive(process) for process in found.processes.values()):
        found = replace(found, ports=_chosen(ports) if ports else _kept(found.ports))
    elif ports not in (None, found.ports):
        raise LocalError("The embedded AWS is up on other ports. Run `genoferry local down` first.")
    record.save(state, found)
    return found


def _chosen(ports: Ports) -> Ports:
    taken = [str(port) for port in ports.dump().values() if not is_free(port)]
    if taken:
        raise LocalError(f"Another program listens on port {', '.join(taken)}. End it, or choose another port.")
    return ports


def _kept(ports: Ports) -> Ports:
    return ports if all(is_free(port) for port in ports.dump().values()) else Ports.free()


def _started(state: Path, found: Record, tools: Tools) -> Record:
    servers = _servers(state, found, tools)
    for server in servers:
        if not alive(found.processes.get(server.name)):
            found = _start(state, found, server)
    for server in servers:
        await_ready(server, found.processes[server.name])
    return found


def _start(state: Path, found: Record, server: Server) -> Record:
    if server.name == s3server.NAME:
        s3server.remove_sockets(found.ports)
    found = found.started(server.name, start(server))
    record.save(state, found)
    return found


def _servers(state: Path, found: Record, tools: Tools) -> tuple[Server, ...]:
    buckets = (f"{DEPLOYMENT}-work", f"{DEPLOYMENT}-results")
    return (
        s3server.server(state, found, buckets, tools.weed),
        emulator.server(state, found.ports, tools.python),
    )


def _deployed(state: Path, found: Record) -> Record:
    target = Target(
        deployment=DEPLOYMENT,
        region=emulator.REGION,
        endpoint=emulator.url(found.ports),
        s3_endpoint=s3server.url(found.ports),
        access_key_id=found.worker.access_key_id,
        secret_access_key=found.worker.secret_access_key,
    )
    found = replace(found, variables={**_aws(found), **variables(target, deploy(target).outputs)})
    record.save(state, found)
    return found


def _aws(found: Record) -> dict[str, str]:
    return {
        "AWS_ENDPOINT_URL": emulator.url(found.ports),
        "AWS_ENDPOINT_URL_S3": s3server.url(found.ports),
        "AWS_ACCESS_KEY_ID": found.worker.access_key_id,
        "AWS_SECRET_ACCESS_KEY": found.worker.secret_access_key,
        "AWS_REGION": emulator.REGION,
        "AWS_DEFAULT_REGION": emulator.REGION,
        "GENOFERRY_JOB_AWS_ACCESS_KEY_ID": found.job.access_key_id,
        "GENOFERRY_JOB_AWS_SECRET_ACCESS_KEY": found.job.secret_access_key,
    }


def _environment(state: Path, found: Record) -> Environment:
    return Environment(state, emulator.url(found.ports), s3server.url(found.ports), found.variables)


def _server_status(state: Path, found: Record, name: str, url: str) -> ServerStatus:
    process = found.processes.get(name)
    running = alive(process)
    return ServerStatus(name, url, process.pid if process and running else None, running, state / name / "log")


def _end_all(state: Path) -> None:
    found = record.load(state)
    if found is None:
        return
    end({process: GRACES[name] for name, process in found.processes.items()})
    s3server.remove_sockets(found.ports)
    record.save(state, replace(found, processes={}))

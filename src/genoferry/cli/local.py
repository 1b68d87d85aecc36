"""`genoferry local`: the embedded AWS, for development, tests and the demo."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Annotated

import typer

from genoferry.cli import output
from genoferry.cli.groups import Command

app = typer.Typer(no_args_is_help=True, help="The embedded AWS: all that genoferry needs of it, on loopback alone.")

DEFAULT_STATE = Path(".genoferry/local")
State = Annotated[Path, typer.Option(metavar="DIR", help="Its state folder; several may run side by side.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print it as JSON.")]
Port = Annotated[int | None, typer.Option(min=1024, max=55534, help="A free one if left out.")]


@app.command(
    "up", cls=Command, epilog='[bold]Example[/bold]\n\n  genoferry local up --seed && eval "$(genoferry local env)"'
)
def up(
    state: State = DEFAULT_STATE,
    port: Port = None,
    s3_port: Port = None,
    seed_too: Annotated[bool, typer.Option("--seed", help="Then do what `genoferry local seed` does.")] = False,
    as_json: AsJson = False,
) -> None:
    """Start it, deploy infra/template.yaml into it, and return when it serves. What runs already is left alone."""
    from genoferry.local.environment import up as start
    from genoferry.local.ports import Ports

    console = output.notes()
    ports = Ports.free(aws=port, s3=s3_port) if port or s3_port else None
    with console.status("starting the embedded AWS; the first time its servers are installed"):
        running = start(state, ports=ports)
    if seed_too:
        _sow(state)
    if as_json:
        endpoints = {"endpoint": running.endpoint, "s3_endpoint": running.s3_endpoint}
        output.document({"state": str(running.state), **endpoints})
        return
    output.facts([("Endpoint", running.endpoint), ("S3", running.s3_endpoint), ("State", str(running.state))])
    output.hint(f'Use it: eval "$(genoferry local env{_state_option(state)})"')


@app.command("down", cls=Command, epilog="[bold]Example[/bold]\n\n  genoferry local down")
def down(state: State = DEFAULT_STATE) -> None:
    """Stop it. Its data stays in the state folder, for the next time."""
    from genoferry.cli.demo.seed import unseed
    from genoferry.local.environment import down as stop
    from genoferry.local.environment import status as look

    was_up = any(server.running for server in look(state).servers)
    unseed(state.absolute())
    stop(state)
    if was_up:
        output.line(f"The embedded AWS is down; its data stays in {state}.")
    else:
        output.line(f"The embedded AWS of {state} was not up.")


@app.command("status", cls=Command, epilog="[bold]Example[/bold]\n\n  genoferry local status --json | jq .up")
def status(state: State = DEFAULT_STATE, as_json: AsJson = False) -> None:
    """Show what runs. Exit code 6 unless all of it is up."""
    from genoferry.cli.demo.seed import process_of
    from genoferry.cli.exit_codes import ExitCode
    from genoferry.local.environment import status as look

    found = look(state)
    doubles = process_of(state.absolute())
    if as_json:
        servers = [
            {"name": s.name, "url": s.url, "pid": s.pid, "running": s.running, "log": str(s.log)} for s in found.servers
        ]
        seeded = doubles is not None
        output.document({"state": str(found.state), "up": found.up, "seeded": seeded, "servers": servers})
    else:
        rows = [(s.name, "up" if s.running else "down", s.url, str(s.pid or ""), str(s.log)) for s in found.servers]
        if doubles is not None:
            rows.append(("demo's doubles", "up", "", str(doubles.pid), str(state / "seed.log")))
        output.table(("server", "state", "url", "pid", "log"), rows, right=("pid",))
    if not found.up:
        output.hint("It is not up: genoferry local up")
        raise typer.Exit(ExitCode.SETTINGS)


@app.command("env", cls=Command, epilog='[bold]Example[/bold]\n\n  eval "$(genoferry local env)"')
def env(state: State = DEFAULT_STATE, as_json: AsJson = False) -> None:
    """Print what to export to use it, secrets of the embedded AWS included. Exit code 6 where it is not up."""
    from genoferry.cli.demo.seed import seeded_variables
    from genoferry.local.environment import env as variables_of

    jobs = str(state.absolute() / "jobs")  # apart from those of other state folders, whose deployment has the same name
    variables = {"GENOFERRY_LOCAL_DIR": jobs, **variables_of(state), **seeded_variables(state.absolute())}
    if as_json:
        output.document(variables)
        return
    foreign = [name for name in ("AWS_PROFILE", "AWS_SESSION_TOKEN") if name in os.environ]
    if foreign:
        output.line(f"unset {' '.join(foreign)}")
    for name, value in sorted(variables.items()):
        output.line(f"export {name}={shlex.quote(value)}")


@app.command(
    "seed",
    cls=Command,
    epilog="[bold]Example[/bold]\n\n  genoferry local seed && genoferry send payloads/calculate_scores.json",
)
def seed(
    state: State = DEFAULT_STATE,
    folder: Annotated[
        Path | None, typer.Option(metavar="DIR", help="For the cohort; payloads/*_file.json names the default.")
    ] = None,
    web_port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="Of the web server; payloads/*_https.json names the default.")
    ] = None,
) -> None:
    """Make a cohort, encrypt it, and serve it, so that the messages in payloads/ work as they stand.

    It puts the files into a folder (/tmp/genoferry-demo), a bucket, a web server and a double of a Globus collection,
    and the key into a file, Secrets Manager and a double of the key service. `genoferry local env` then prints the
    allow-lists for them too. All data is made up. `genoferry local down` ends the servers.
    """
    _sow(state, folder, web_port)
    output.hint(f'Seeded. Use it: eval "$(genoferry local env{_state_option(state)})"')


def _sow(state: Path, folder: Path | None = None, web_port: int | None = None) -> None:
    from genoferry.cli.demo.payloads import FOLDER, WEB_PORT
    from genoferry.cli.demo.seed import seed as sow
    from genoferry.local.environment import env as variables_of

    wanted = WEB_PORT if web_port is None else web_port
    variables = sow(state.absolute(), variables_of(state), folder=(folder or FOLDER).absolute(), web_port=wanted)
    host = variables["GENOFERRY_ALLOW_HOSTS"]
    if wanted and not host.endswith(f":{wanted}"):
        output.notes().print(
            f"Port {wanted} is taken, so the web server is at http://{host}: payloads/calculate_scores_https.json"
            " needs that as its baseUrl, and in its scorefiles.",
            style="yellow",
        )


def _state_option(state: Path) -> str:
    return "" if state == DEFAULT_STATE else f" --state {shlex.quote(str(state))}"

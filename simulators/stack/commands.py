"""`thuiswacht stack`: servers that stay until they are told to stop."""

import json
import os
import signal
import sys
import time
from pathlib import Path
from typing import TypedDict, cast

import click

from models.errors import Broken, RefuseToStart
from simulators.stack.cache import cache_folder, is_held
from simulators.stack.stack import Wishes, launch, make_plan, say_to_stderr
from simulators.stack.supervisor import lock_of

EXIT_NOT_RUNNING = 3
_STOP_WITHIN_S = 60.0


class Running(TypedDict):
    """What is known about the stack that runs."""

    kafka: str
    postgres: str
    kafka_kind: str
    folder: str
    pid: int


@click.group()
def stack() -> None:
    """Postgres and Apache Kafka on this machine, without Docker.

    For trying out and developing, on 127.0.0.1 only. `thuiswacht demo` and the tests start their own;
    this one stays until `stack down`.

    \b
      thuiswacht stack up        start it, and see where it listens
      thuiswacht stack status    see whether it runs (exit code 0: yes, 3: no)
      thuiswacht stack down      end it
    """  # noqa: D301 (click wants the backspace itself)


@stack.command()
@click.option(
    "--folder",
    type=click.Path(file_okay=False, path_type=Path),
    help="Keep the data here, for the next `up`. Without it, data is temporary and gone after `down`.",
)
@click.option("--kafka-port", type=click.IntRange(1, 65535), help="Port of Kafka. [default: a free one]")
@click.option(
    "--postgres-port", type=click.IntRange(1, 65535), help="Port of Postgres. [default: a free one]"
)
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as JSON.")
def up(folder: Path | None, kafka_port: int | None, postgres_port: int | None, *, as_json: bool) -> None:
    """Start Postgres and Kafka, and print their addresses.

    Does nothing but print them when they run already. The first time, Kafka is fetched from Maven Central
    (45 MB) and kept in the cache folder: THUISWACHT_CACHE, else the user's own.
    """
    running = find_running()
    if running is None:
        wishes = Wishes(folder, kafka_port=kafka_port, postgres_port=postgres_port)
        launch(make_plan(wishes, say_to_stderr, parent=None, register=_register()))
        running = find_running()
        if running is None:
            raise Broken("The stack has ended right after its start.")
    elif folder is not None and folder.resolve() != Path(running["folder"]):
        raise RefuseToStart(f"A stack runs already, in {running['folder']}; end it first with `stack down`.")
    _show(running, as_json=as_json)


@stack.command()
def down() -> None:
    """End the servers in order; temporary data is removed. Nothing happens when none run."""
    running = find_running()
    if running is None:
        click.echo("No stack is running.")
        return
    os.kill(running["pid"], signal.SIGTERM)
    deadline = time.monotonic() + _STOP_WITHIN_S
    # The lock goes when the process does; it is not our child, so there is nothing to wait for.
    while is_held(lock_of(_register())):
        if time.monotonic() > deadline:
            raise Broken(
                f"The stack did not end within {_STOP_WITHIN_S:.0f} s; its process is {running['pid']}."
            )
        time.sleep(0.05)
    click.echo("Stopped.")


@stack.command()
@click.option("--json", "as_json", is_flag=True, help="Print the addresses as JSON.")
def status(*, as_json: bool) -> None:
    """Say whether the servers run, and where; exit code 0 when they do, 3 when they do not."""
    running = find_running()
    if running is None:
        click.echo(json.dumps({"running": False}) if as_json else "No stack is running.")
        sys.exit(EXIT_NOT_RUNNING)
    _show(running, as_json=as_json)


def find_running() -> Running | None:
    """The stack that `up` started and that still runs."""
    register = _register()
    if not is_held(lock_of(register)):
        return None
    try:
        text = register.read_text(encoding="utf-8")
    except FileNotFoundError:
        # It is just starting, or just ending.
        return None
    return cast("Running", json.loads(text))


def _register() -> Path:
    return cache_folder() / "stack.json"


def _show(running: Running, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps({"running": True, **running}))
        return
    click.echo(f"Postgres 18 and {running['kafka_kind']} are running; data in {running['folder']}")
    click.echo(f"  export THUISWACHT_KAFKA={running['kafka']}")
    click.echo(f"  export THUISWACHT_POSTGRES='{running['postgres']}'")
    click.echo("End them with: thuiswacht stack down")

"""The front door: `thuiswacht` mounts the commands of the four packages, and turns errors into exit codes."""

import sys
import traceback
from collections.abc import Sequence
from importlib import import_module

import click

from models import logs
from models.errors import BadInput, RefuseToStart, ThuiswachtError, TryAgain

COMMANDS = {
    "demo": ("simulators.demo.commands", "demo"),
    "stack": ("simulators.stack.commands", "stack"),
    "migrate": ("models.db.commands", "migrate"),
    "broker": ("ingest.broker.commands", "broker"),
    "ingest": ("ingest.commands", "ingest"),
    "alerting": ("alerting.commands", "alerting"),
    "dispatch": ("alerting.commands", "dispatch"),
    "programme": ("alerting.programmes.commands", "programme"),
    "alerts": ("alerting.worklist.commands", "alerts"),
    "policy": ("alerting.escalation.commands", "policy"),
    "roster": ("alerting.escalation.commands", "roster"),
    "webhook": ("alerting.notify.commands", "webhook"),
    "explain": ("alerting.explain.commands", "explain"),
    "audit": ("ingest.auditing.commands", "audit"),
    "rights": ("ingest.rights.commands", "rights"),
    "clock": ("ingest.commands", "clock"),
    "register": ("ingest.register.commands", "register"),
    "quarantine": ("ingest.quarantine.commands", "quarantine"),
    "api": ("alerting.gateway.commands", "api"),
    "gateway": ("ingest.gateway.delivery.commands", "gateway"),
    "console": ("alerting.console.commands", "console"),
    "account": ("ingest.gateway.login.commands", "account"),
    "clients": ("ingest.delivery.clients.commands", "clients"),
    "evaluate": ("alerting.offline.commands", "evaluate"),
    "backtest": ("alerting.backtest.commands", "backtest"),
    "simulate": ("simulators.commands", "simulate"),
    "record": ("simulators.recording.commands", "record"),
    "replay": ("simulators.recording.commands", "replay"),
    "load": ("simulators.load.commands", "load"),
}
"""Each command with the module and the name it is mounted from; loaded when it is asked for."""

EXIT_FAILED = 1
EXIT_BAD_INPUT = 65
EXIT_TRY_AGAIN = 75
EXIT_REFUSED = 78


class FrontDoor(click.Group):
    """Imports a command's package only when that command is asked for, so that help is quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 (click's signature)
        """In the order in which a newcomer meets them."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        """The command of that name, None where there is none."""
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name]
        command: click.Command = getattr(import_module(module), name)
        return command


@click.group(cls=FrontDoor, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="thuiswacht")
def thuiswacht() -> None:
    """Telemonitoring: takes in readings from patients' homes, keeps each one, notices who is getting worse.

    Start with `thuiswacht demo`: it needs no server and no Docker. Not for emergencies; not a medical device.

    \b
    Exit codes: 0 done · 1 failed · 2 wrong usage · 3 not running (stack status)
                65 bad input · 70 a service was stuck and ended itself, start it again
                75 something is away, try again · 78 refused to start (configuration)
    """  # noqa: D301 (the backspace tells click not to rewrap the list)


def exit_code(error: ThuiswachtError) -> int:
    """What a script sees of an error, by what it should do next."""
    match error:
        case RefuseToStart():
            return EXIT_REFUSED
        case BadInput():
            return EXIT_BAD_INPUT
        case TryAgain():
            return EXIT_TRY_AGAIN
        case _:
            return EXIT_FAILED


def main(arguments: Sequence[str] | None = None) -> None:
    """Runs the command line; errors of ours become a line and an exit code, others tell where they arose.

    `arguments`: in place of those that the process was started with.
    """
    try:
        thuiswacht(arguments)
    except ThuiswachtError as error:
        click.echo(f"thuiswacht: {error}", err=True)
        sys.exit(exit_code(error))
    except Exception as error:  # noqa: BLE001 (the top of the process, which ends here)
        _tell_where(error)
        sys.exit(EXIT_FAILED)


def _tell_where(error: Exception) -> None:
    """Where a mistake was made, without its text: that of a database's error may hold a patient's data."""
    if logs.are_configured():
        logs.get("thuiswacht").error("mistake", error=error)
        return
    frames = "".join(traceback.format_tb(error.__traceback__))
    click.echo(f"{frames}thuiswacht: a mistake in the program: {logs.describe(error)}", err=True)


if __name__ == "__main__":
    main()

"""The commands `thuiswacht broker …`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ingest.broker.rules import ACCESS, difference, rules_of
from models.errors import NotAllowed, RefuseToStart

if TYPE_CHECKING:
    from collections.abc import Callable

    from ingest.broker.rules import Difference, Entry
    from models.settings import Settings

PASSWORDS = "BROKER_PASSWORD_"
"""How variables start that hold passwords of users. Not THUISWACHT_: no service is to have them all."""

_rules = click.option(
    "--rules",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    default=ACCESS,
    help="Other rules than those that come with us.",
)
_kafka = click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")


@click.group()
def broker() -> None:
    """Who may do what at the broker.

    The rules are in ingest/broker/access.toml: a user for each service. They need a broker with an authorizer
    (authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer), and to be given as a user
    who may change them (THUISWACHT_KAFKA_SASL_USERNAME…).
    """


@broker.command("rules")
@_rules
def rules_(rules: Path) -> None:
    """Print the rules as the broker will have them."""
    from models.settings import load_settings

    for entries in _wanted(load_settings(), rules).values():
        for entry in entries:
            click.echo(str(entry))


@broker.command()
@_kafka
@_rules
def apply(kafka: str | None, rules: Path) -> None:
    """Put the rules there: add what is missing, remove what our users have too much.

    A variable BROKER_PASSWORD_GATEWAY, …_INGEST and so on gives that user its password (SCRAM-SHA-512); users
    without one stay as they are. Applying twice changes nothing. Ends with what `check` says.
    """
    settings = _settings(kafka)
    wanted = _wanted(settings, rules)
    passwords = passwords_of(os.environ, wanted)

    async def put(there: Any, found: Difference) -> None:
        await there.add(found.missing)
        await there.remove(found.surplus)
        if passwords:
            await there.set_passwords(passwords)

    found = _with_broker(settings, wanted, put)
    click.echo(
        f"{len(found.missing)} rules added, {len(found.surplus)} removed, passwords of "
        f"{', '.join(passwords) or 'nobody'} set."
    )
    _tell_of_others(found)


@broker.command()
@_kafka
@_rules
def check(kafka: str | None, rules: Path) -> None:
    """Say what differs from the rules, and who else may harm the log; exit code 1 when anything does."""
    settings = _settings(kafka)
    found = _with_broker(settings, _wanted(settings, rules), None)
    for word, entries in (("missing", found.missing), ("too much", found.surplus)):
        for entry in entries:
            click.echo(f"{word}: {entry}")
    _tell_of_others(found)
    if found.missing or found.surplus:
        raise NotAllowed("The broker differs from the rules; `thuiswacht broker apply` puts them there.")
    click.echo("As the rules say.")


def passwords_of(environment: Mapping[str, str], users: Mapping[str, object]) -> dict[str, str]:
    """Passwords by user.

    **Raises**: RefuseToStart for a user who is not in the rules, or a password that SCRAM could spell twice.

    >>> passwords_of({"BROKER_PASSWORD_CLOCK": "tick-tock-tick"}, {"clock": ()})
    {'clock': 'tick-tock-tick'}
    """
    given = {
        name.removeprefix(PASSWORDS).lower(): value
        for name, value in environment.items()
        if name.startswith(PASSWORDS)
    }
    for user, password in given.items():
        if user not in users:
            known = ", ".join(PASSWORDS + known.upper() for known in users)
            raise RefuseToStart(f"{PASSWORDS}{user.upper()} is of nobody; expected {known}.")
        if len(password) < 12 or not password.isascii() or not password.isprintable():
            raise RefuseToStart(
                f"{PASSWORDS}{user.upper()}: expected twelve or more printable ASCII characters."
            )
    return given


def topics_of(settings: Settings) -> dict[str, list[str]]:
    """What the names of topics in the rules stand for."""
    sandbox = settings.alerts_topic + ".sandbox"
    return {
        "log": [settings.topic],
        "requests": [settings.requests_topic],
        "alerts": [settings.alerts_topic, sandbox],
    }


def _settings(kafka: str | None) -> Settings:
    from models.settings import load_settings

    return load_settings(kafka=kafka)


def _wanted(settings: Settings, rules: Path) -> dict[str, tuple[Entry, ...]]:
    return rules_of(rules.read_text(encoding="utf-8"), topics_of(settings))


def _with_broker(
    settings: Settings, wanted: Mapping[str, tuple[Entry, ...]], put: Callable[..., Any] | None
) -> Difference:
    import asyncio

    from ingest.broker.applying import Broker

    async def work() -> Difference:
        async with Broker(settings) as there:
            found = difference(wanted, await there.entries(), settings.topic)
            if put is not None:
                await put(there, found)
            return found

    return asyncio.run(work())


def _tell_of_others(found: Difference) -> None:
    if found.others:
        listed = "\n".join(f"  {entry}" for entry in found.others)
        raise NotAllowed(f"Others may harm the log; nothing of theirs was changed:\n{listed}")

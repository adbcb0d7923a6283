"""Who acts on the command line: the person's only role, or the one that is meant; then as every deed."""

import secrets
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

import click

from ingest.acting import Acting, Deed, Known, doing
from models.access import Action, Role, User
from models.audit import Kind
from models.clock import wall_now_us
from models.db.pool import Pool
from models.db.roles import roles_of
from models.errors import BadInput

SOURCE = "thuiswacht.cli"
"""As audit rows name the command line."""
Command = Callable[..., Any]


@dataclass(frozen=True, slots=True)
class Who:
    """Who a command says that acts; organisation and role where the person has several."""

    person_id: UUID
    organisation_id: UUID | None = None
    role: Role | None = None


def only_role(who: Who, held: Sequence[User]) -> User:
    """The role that is meant, of those that a person holds today.

    **Raises**: BadInput when none is left, or more than one.

    >>> only_role(Who(UUID(int=1)), [User(UUID(int=1), UUID(int=2), Role.NURSE)]).role
    <Role.NURSE: 'nurse'>
    """
    meant = [
        user
        for user in held
        if who.organisation_id in {None, user.organisation_id} and who.role in {None, user.role}
    ]
    if len(meant) == 1:
        return meant[0]
    if not meant:
        raise BadInput(where="--as", expected="a person who has this role there today", found="none")
    choices = "; ".join(f"--role {user.role} --organisation {user.organisation_id}" for user in meant)
    raise BadInput(where="--as", expected=f"one of: {choices}", found=f"{len(meant)} roles")


@asynccontextmanager
async def acting_as(
    pool: Pool,
    who: Who,
    action: Action,
    kind: Kind,
    *,
    patient_id: UUID | None = None,
    reason: str | None = None,
) -> AsyncGenerator[Acting]:
    """A transaction in which somebody does something, allowed and on record; `patient_id`: whom it is about.

    **Raises**: as `doing`; BadInput when it is not clear as what the person acts.
    """
    async with pool.connection() as connection:
        user = only_role(who, await roles_of(connection, who.person_id, wall_now_us()))
    async with doing(pool, Known(user, mark()), Deed(action, kind, SOURCE, patient_id)) as act:
        act.reason = reason
        yield act


def mark() -> str:
    """Tells this run from others in the audit log; opens nothing."""
    return f"cli-{secrets.token_hex(6)}"


def acting_options(*, required: bool = True) -> Callable[[Command], Command]:
    """The options that say who acts, for commands: `person_id`, `organisation_id`, `role`, `postgres`."""
    options = (
        click.option(
            "--as", "person_id", type=click.UUID, envvar="THUISWACHT_PERSON", required=required,
            help="As whom: a person's id.",
        ),
        click.option("--role", type=click.Choice([role.value for role in Role]), help="As what, if several."),
        click.option("--organisation", "organisation_id", type=click.UUID, help="Where, if at several."),
        click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES."),
    )  # fmt: skip

    def with_options(command: Command) -> Command:
        for option in reversed(options):
            command = option(command)
        return command

    return with_options


def who_of(person_id: UUID, organisation_id: UUID | None, role: str | None) -> Who:
    """What the options say."""
    return Who(person_id, organisation_id, None if role is None else Role(role))


def require_new(file: Path) -> None:
    """Lets nothing be written over. **Raises**: BadInput when the file is there."""
    if file.exists():
        raise BadInput(where="--out", expected="a file that is not there yet", found="one that is there")

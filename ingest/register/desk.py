"""The command line as a declared person: each command is one unit of work, like a request to the API."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import click

from ingest.acting import Acting
from ingest.on_command import Who, acting_as
from models.access import Action, Role
from models.audit import Kind
from models.db.pool import Pool, connected
from models.errors import BadInput
from models.identity import Keys
from models.settings import Settings, identity_key, load_settings

Done = TypeVar("Done")
Work = Callable[[Acting], Awaitable[Done]]


@dataclass(frozen=True, slots=True)
class Desk:
    """Who sits at the command line, as they say it, and with which database."""

    postgres: str | None = None
    person_id: UUID | None = None
    role: Role | None = None
    organisation_id: UUID | None = None

    @property
    def settings(self) -> Settings:
        """The settings, with the database that was named."""
        return load_settings(postgres=self.postgres)

    @property
    def keys(self) -> Keys:
        """With which identities are sealed. **Raises**: RefuseToStart without a key."""
        return Keys(identity_key(self.settings))

    def do(self, action: Action, kind: Kind, work: Work[Done], patient_id: UUID | None = None) -> Done:
        """Does something as that person: decided on, committed, on record. **Raises**: as `doing`."""
        return asyncio.run(self._do(action, kind, work, patient_id))

    def with_pool(self, work: Callable[[Pool], Awaitable[Done]]) -> Done:
        """Does something before anybody is known."""
        return asyncio.run(self._with_pool(work))

    async def _do(self, action: Action, kind: Kind, work: Work[Done], patient_id: UUID | None) -> Done:
        async def with_pool(pool: Pool) -> Done:
            if self.person_id is None:
                raise BadInput(
                    where="--as", expected="the id of a person (or THUISWACHT_PERSON)", found="nobody"
                )
            who = Who(self.person_id, self.organisation_id, self.role)
            async with acting_as(pool, who, action, kind, patient_id=patient_id) as act:
                return await work(act)

        return await self._with_pool(with_pool)

    async def _with_pool(self, work: Callable[[Pool], Awaitable[Done]]) -> Done:
        dsn = self.settings.postgres_dsn
        async with connected(dsn, role="thuiswacht_people", application="thuiswacht-cli", max_size=2) as pool:
            return await work(pool)


def say(what: Any) -> None:
    """Print as JSON, for people and scripts."""
    click.echo(json.dumps(what, indent=2, ensure_ascii=False, default=str))

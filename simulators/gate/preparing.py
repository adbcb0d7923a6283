"""Patients who do not exist come into the register, so that a client of the gate can deliver for them.

Each with their devices on loan, at the client's organisation, valid from the moment on at which the scenario
begins to follow them. Who is there already stays: the same seed can be sent again.
"""

import asyncio
import time
from collections.abc import Sequence
from uuid import UUID

from ingest.delivery.clients.registry import list_clients
from ingest.on_command import Who, acting_as
from ingest.register import acts
from models.access import Action
from models.audit import Kind
from models.db.pool import Pool, connected
from models.errors import BadInput, TryAgain
from models.identity import Keys
from models.settings import Settings, identity_key
from simulators.demo.registering import form_of, together
from simulators.scenarios.scenario import Scenario

TOLD_WITHIN_S = 60.0
_LOOK_EVERY_S = 0.2


async def organisation_of(settings: Settings, client_id: str) -> UUID:
    """Whose patients a client may deliver for. **Raises**: BadInput."""
    async with connected(
        settings.postgres_dsn, role="thuiswacht_login", application="simulate", max_size=1
    ) as pool:
        known = {one.client_id: one.user.organisation_id for one in await list_clients(pool)}
    if client_id not in known:
        expected = "a client that is registered (thuiswacht clients list)"
        raise BadInput(where="--client", expected=expected, found=client_id)
    return known[client_id]


async def enter_patients(settings: Settings, scenario: Scenario, who: Who) -> int:
    """Includes those who are not there yet, and returns when the log knows all; how many there were.

    **Raises**: NotAllowed; TryAgain when nobody tells the log.
    """
    async with (
        connected(settings.postgres_dsn, role="thuiswacht_people", application="simulate") as people,
        connected(
            settings.postgres_dsn, role="thuiswacht_read", application="simulate", max_size=1
        ) as reading,
    ):
        texts = scenario.population.patient_text
        lacking = set(await missing(reading, texts))
        rows = [row for row, text in enumerate(texts) if text in lacking]
        for some in together(scenario, rows):
            await _include(people, Keys(identity_key(settings)), who, scenario, some)
        await until_told(reading)
    return len(rows)


async def missing(pool: Pool, texts: Sequence[str]) -> list[str]:
    """The patients, by their ids, whom the register does not know."""
    async with pool.connection() as connection:
        found = await connection.fetch(
            "SELECT patient_id FROM registration WHERE patient_id = ANY ($1::uuid[])", list(texts)
        )
    there = {str(row["patient_id"]) for row in found}
    return [text for text in texts if text not in there]


async def _include(pool: Pool, keys: Keys, who: Who, scenario: Scenario, rows: Sequence[int]) -> None:
    forms = [
        # Their practices are nobody's organisations here.
        (
            UUID(scenario.patient_texts[row]),
            form_of(scenario, row, lends=True).model_copy(update={"huisarts": None}),
        )
        for row in rows
    ]
    async with acting_as(pool, who, Action.PATIENT_INCLUDE, Kind.CREATE) as act:
        await acts.include_patients(act, keys, forms, int(scenario.follow_up.registered_us[rows[0]]))


async def until_told(pool: Pool) -> None:
    """Waits until the log knows whom the register knows. **Raises**: TryAgain when nobody tells it."""
    deadline_s = time.monotonic() + TOLD_WITHIN_S
    while time.monotonic() < deadline_s:
        async with pool.connection() as connection:
            untold: int = await connection.fetchval(
                "SELECT count(*) FROM register_change WHERE told_at IS NULL"
            )
        if not untold:
            return
        await asyncio.sleep(_LOOK_EVERY_S)
    raise TryAgain("The log has not been told of all patients: is `thuiswacht register publish` running?")

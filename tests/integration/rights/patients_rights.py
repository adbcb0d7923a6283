"""What several tests ask for, as people do."""

from uuid import UUID

from ingest.on_command import Who, acting_as
from ingest.rights import service
from ingest.rights.resources import Resource
from models.access import Action
from models.audit import Kind
from models.clock import DAY_US, to_us
from models.db.pool import Pool
from models.identity import Keys
from tests.integration.rights.conftest import TAKEN_AT, World

NOW_US = to_us(TAKEN_AT) + DAY_US
KEYS = Keys(bytes(32))


async def look(people: Pool, who: Who, patient_id: UUID) -> None:
    async with acting_as(people, who, Action.PATIENT_READ, Kind.READ, patient_id=patient_id):
        pass


async def copy_of(people: Pool, world: World) -> Resource:
    async with acting_as(
        people, world.as_officer, Action.COPY_MAKE, Kind.READ, patient_id=world.patient
    ) as deed:
        return await service.copy(deed.connection, KEYS, world.patient, deed.require, NOW_US)


def resources(copied: Resource, name: str | None = None) -> list[Resource]:
    found = [entry["resource"] for entry in copied["entry"]]
    return [one for one in found if name in {None, one["resourceType"]}]

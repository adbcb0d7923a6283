"""The review of looks in the transaction of who does it: what to look at again, verdicts on emergencies."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from ingest.auditing.review import BASELINE_US, Flag, review
from models.access import User
from models.db import looks, rights
from models.db.pool import Connection
from models.errors import BadInput
from models.looks import Emergency, Verdict


async def flags(connection: Connection, since_us: int, until_us: int) -> list[Flag]:
    """What is worth a second look in a period, for the user's own organisation.

    **Units**: microseconds since 1970 UTC.
    """
    hours = await looks.hours(connection, since_us - BASELINE_US, until_us)
    return review(hours, await looks.emergencies(connection), since_us)


async def names(connection: Connection, found: Sequence[Flag]) -> dict[str, str]:
    """The names of the people who are flagged, by their ids."""
    return await rights.names_of(connection, {flag.user_id for flag in found})


def patients_of(found: Sequence[Flag]) -> list[UUID]:
    """The patients whom flags name."""
    return [flag.emergency.patient_id for flag in found if flag.emergency is not None]


async def give_verdict(connection: Connection, user: User, emergency_id: UUID, verdict: Verdict) -> Emergency:
    """Closes the review of an emergency; whose it was.

    **Raises**: BadInput when it is not there to be reviewed, or the reviewer declared it themselves.
    """
    waiting = {one.emergency_id: one for one in await looks.emergencies(connection)}
    emergency = waiting.get(emergency_id)
    if emergency is None:
        raise BadInput(
            where="emergency_id", expected="an emergency of your organisation without a verdict", found="none"
        )
    if emergency.person_id == str(user.person_id):
        raise BadInput(where="emergency_id", expected="one that somebody else declared", found="your own")
    if not await looks.give_verdict(connection, emergency_id, user.person_id, verdict):
        raise BadInput(where="emergency_id", expected="one without a verdict", found="one with a verdict")
    return emergency


def structure(found: Sequence[Flag], named: Mapping[str, str]) -> list[dict[str, object]]:
    """As it is answered to an API call and printed for scripts."""
    return [
        {
            "why": flag.why.value,
            "user_id": flag.user_id,
            "name": named.get(flag.user_id),
            "role": flag.role,
            "at_us": flag.at_us,
            "nl": flag.nl,
            "en": flag.en,
            "emergency_id": None if flag.emergency is None else str(flag.emergency.emergency_id),
            "patient_id": None if flag.emergency is None else str(flag.emergency.patient_id),
        }
        for flag in found
    ]

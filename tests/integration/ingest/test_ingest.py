"""Every reading that was sent is stored, a duplicate, or in quarantine, to the reading."""

from typing import Any

from ingest.keys import partition_of
from models.columns import Reason
from models.db.pool import Connection
from models.settings import Settings
from tests.bad_input import BAD_MESSAGES, BAD_READINGS
from tests.integration.ingest.conftest import Write, everything, working
from tests.wire import HOSPITAL, PATIENT, TAKEN_AT_US, reading, registration, upload


async def test_all_that_is_bad_is_in_quarantine_and_all_that_is_good_is_stored(
    settings: Settings, write: Write, admin: Connection
) -> None:
    messages: list[bytes | None] = [registration()]
    expected: dict[tuple[int, int], tuple[Reason, str, int]] = {}
    sound = 0
    for number, (bad, reason, field) in enumerate(BAD_READINGS.values()):
        good = reading(taken_at_us=TAKEN_AT_US - number)
        expected[len(messages), 1] = (reason, field, 1)
        messages.append(upload(good, bad, name=str(number)))
        sound += 1
    for message, reason, field, readings in BAD_MESSAGES.values():
        expected[len(messages), -1] = (reason, field, readings)
        messages.append(message)
    messages.append(upload(name="last", device_id="another"))
    partition = partition_of(PATIENT, 4)
    await write(partition, messages)

    async with working(settings) as running:
        found = await everything(running, admin, {partition: len(messages)})

    rows = await admin.fetch("SELECT log_offset, log_position, reason, field, readings FROM quarantine")
    assert {(row[0], row[1]): tuple(row)[2:] for row in rows} == {
        place: (reason.value, field, readings) for place, (reason, field, readings) in expected.items()
    }
    assert found.readings == found.stored == sound + 1
    assert found.refused == found.quarantined == sum(readings for *_, readings in expected.values())
    assert found.received == found.stored + found.quarantined
    raw = {row[0]: row[1] for row in await admin.fetch("SELECT log_offset, raw FROM quarantine_message")}
    assert raw == {offset: messages[offset] or b"" for offset, _ in expected}


async def test_the_same_again_the_other_value_the_void_and_the_revision(
    settings: Settings, write: Write, admin: Connection
) -> None:
    def at(minute: int, **fields: Any) -> dict[str, Any]:
        return reading(taken_at_us=TAKEN_AT_US + minute * 60_000_000, **fields)

    first = upload(at(1), at(2), at(3), name="first")
    partition = partition_of(PATIENT, 4)
    await write(
        partition,
        [
            registration(),
            first,
            first,
            upload(at(1, value=81_400, unit="g"), name="the same in grams"),
            upload(at(1, value=90.0), name="conflict"),
            upload(at(2, value=None, unit=None, void=True), name="void of what is there"),
            upload(at(4, value=None, unit=None, void=True), name="void of what comes"),
            upload(at(4), name="what was taken back"),
            upload(at(3, value=82.0, revision=1), name="revision"),
            upload(at(-9), at(-8), at(-8, value=82.0), at(-9), name="late, and at odds with itself"),
            upload(at(2), device_id="another scale", name="another device"),
        ],
    )
    async with working(settings) as running:
        found = await everything(running, admin, {partition: 11})

    assert (found.received, found.stored, found.duplicate, found.quarantined) == (17, 10, 5, 2)
    conflicts = await admin.fetch(
        "SELECT log_offset, log_position, found, patient_id, organisation_id FROM quarantine ORDER BY 1"
    )
    assert [tuple(row) for row in conflicts] == [
        (4, 0, "90", PATIENT, HOSPITAL),
        (9, 2, "82", PATIENT, HOSPITAL),
    ]

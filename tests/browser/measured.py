"""What patients of a ward measured: readings as ingest stores them, alerts and findings about them."""

import json
import math
from collections.abc import Sequence
from uuid import UUID, uuid4

from playwright.async_api import Page, expect

from alerting.engine.programme_files import load_folder
from models.clock import DAY_US, HOUR_US, MINUTE_US, to_datetime
from models.db.pool import Connection
from models.kinds import KIND_BY_NAME
from tests.browser.screens import Screens
from tests.integration.alerting.ward import CENTRE

HEART_FAILURE = next(one for one in load_folder() if one.programme == "heart_failure")
NOW_US = 1_796_115_600_000_000
"""What time it is in the ward: 2026-12-01, 09:00 UTC."""

_COPY = """
INSERT INTO reading (taken_at, received_at, log_offset, value, value_received, unit_received, code, revision,
    log_position, kind, log_partition, void, too_late, patient_id, organisation_id, upload_id, device_id,
    source, text)
SELECT r.taken_at, r.taken_at, place, r.value, r.value, $5, r.code, $6, 0, $2, 0, $7, false, $1, $8,
    gen_random_uuid(), $9, 'vendor-a', r.text
FROM unnest($3::timestamptz[], $4::float8[], $10::smallint[], $11::text[])
    WITH ORDINALITY AS r (taken_at, value, code, text, place)
"""


async def measure(
    admin: Connection,
    patient_id: UUID,
    kind: str,
    readings: Sequence[tuple[int, float]],
    *,
    device: str = "device-1",
    revision: int = 0,
    void: bool = False,
) -> None:
    """Readings of a kind at times, in microseconds since 1970 UTC."""
    await _store(admin, patient_id, kind, readings, [None] * len(readings), device, revision, void=void)


async def answer(admin: Connection, patient_id: UUID, kind: str, at_us: int, code: str) -> None:
    """An answer of the patient."""
    number = KIND_BY_NAME[kind].code_numbers[code]
    await _store(admin, patient_id, kind, [(at_us, float("nan"))], [number], "form", 0, void=False)


async def remark(admin: Connection, patient_id: UUID, at_us: int, text: str) -> None:
    """What the patient wrote."""
    await _store(
        admin, patient_id, "body_weight", [(at_us, float("nan"))], [None], "form", 0, void=False, text=text
    )


async def enrol(admin: Connection, patient_id: UUID, programme: str, version: int = 1) -> None:
    """The patient is in a programme since a year."""
    number = await admin.fetchval(
        "SELECT coalesce(max(number), 0) + 1 FROM register_change WHERE patient_id = $1", patient_id
    )
    await admin.execute(
        "INSERT INTO register_change (patient_id, organisation_id, number, change_id, valid_from_us, change) "
        "VALUES ($1, $2, $3, $4, $5, $6)",
        patient_id, CENTRE, number, uuid4(), NOW_US - 370 * 86_400_000_000,
        json.dumps({"enrol": {"programme": programme, "version": version}}),
    )  # fmt: skip


async def explain(admin: Connection, alert_id: UUID, evidence: list[dict[str, object]]) -> None:
    """Gives the finding of an alert what it was found by."""
    await admin.execute(
        "UPDATE finding SET opening = $2 WHERE finding_id = "
        "(SELECT finding_id FROM alert_finding WHERE alert_id = $1 LIMIT 1)",
        alert_id, json.dumps(evidence),
    )  # fmt: skip


async def _store(
    admin: Connection,
    patient_id: UUID,
    kind: str,
    readings: Sequence[tuple[int, float]],
    codes: Sequence[int | None],
    device: str,
    revision: int,
    *,
    void: bool,
    text: str | None = None,
) -> None:
    known = KIND_BY_NAME[kind]
    moments = [to_datetime(at_us) for at_us, _ in readings]
    months = sorted({moment.date().replace(day=1) for moment in moments})
    await admin.execute("SELECT ensure_reading_partitions($1::date[])", months)
    is_number = text is None and known.unit is not None and not void
    await admin.execute(
        _COPY,
        patient_id,
        known.number,
        moments,
        [value if is_number else None for _, value in readings],
        known.unit if is_number else None,
        revision,
        void,
        CENTRE,
        device,
        codes,
        [text] * len(readings),
    )


async def heart_patient(screens: Screens, admin: Connection) -> tuple[UUID, UUID]:
    """Mrs Visser, heavier by the day, with an alert about it, and what is usual of her blood pressure."""
    patient_id = await screens.patient("Visser", "Anna", born="1948-03-01")
    await enrol(admin, patient_id, "heart_failure")
    await admin.execute(
        "UPDATE patient_care SET treatment_plan = $2, advance_care = $3, wijk = 'Loosduinen' "
        "WHERE patient_id = $1",
        patient_id, "Furosemide 40 mg; bij 2 kg erbij 80 mg.", "Niet reanimeren. Wel opname.",
    )  # fmt: skip
    morning_us = NOW_US - 2 * HOUR_US
    weights = [
        (morning_us - day * DAY_US, 82.0 + 0.3 * math.sin(day) + max(0, 3 - day) * 0.7)
        for day in range(60)
        if day not in {9, 10, 11}
    ]
    await measure(admin, patient_id, "body_weight", weights, device="scale-1")
    for kind, middle in (("systolic", 134.0), ("diastolic", 78.0), ("heart_rate", 72.0)):
        values = [(morning_us - n * DAY_US // 2, middle + 6 * math.sin(n * 1.7)) for n in range(100)]
        await measure(admin, patient_id, kind, values, device="cuff-1")
    await answer(admin, patient_id, "symptom_dyspnoea", morning_us, "moderate")
    await remark(admin, patient_id, morning_us + MINUTE_US, "<b>Slecht</b> geslapen")
    alert_id = await screens.ward.alert(patient_id)
    await screens.ward.admin.execute(
        "UPDATE finding SET programme_hash = $2 WHERE patient_id = $1", patient_id, HEART_FAILURE.hash
    )
    await explain(
        admin,
        alert_id,
        [
            {
                "feature": "rise(body_weight, days=3)", "value": 2.1, "unit": "kg", "limit": "gain_3d",
                "limit_value": 2.0, "comparator": ">", "holds": True, "window_us": 3 * DAY_US, "count": 4,
                "readings": [
                    {"kind": "body_weight", "taken_at_us": at_us, "value": value, "unit": "kg"}
                    for at_us, value in reversed(weights[:4])
                ],
            }
        ],
    )  # fmt: skip
    return patient_id, alert_id


async def all_drawn(page: Page) -> None:
    """Every chart of a page is on the screen."""
    await page.locator("#charts .chart").first.wait_for()
    await expect(page.locator("#charts .chart[aria-busy]")).to_have_count(0)

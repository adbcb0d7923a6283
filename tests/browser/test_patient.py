"""A patient's page in a real browser: charts, why there are alerts, calls, readings told by telephone."""

import math
from uuid import UUID

import pytest
from playwright.async_api import Page, expect

from models.clock import DAY_US, HOUR_US, MINUTE_US
from models.db.pool import Connection
from tests.browser.measured import NOW_US, answer, enrol, explain, measure, remark
from tests.browser.screens import Screens

pytestmark = pytest.mark.timeout(180)


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


async def test_the_page_of_a_patient_in_both_languages(screens: Screens, admin: Connection) -> None:
    patient_id, _ = await heart_patient(screens, admin)
    for language, look in (("nl", "light"), ("en", "dark")):
        page = await screens.open(
            "M. Jansen", f"/console/patients/{patient_id}", language=language, look=look
        )
        await expect(page.get_by_role("heading", level=1)).to_contain_text("Anna Visser")
        await all_drawn(page)
        await screens.picture(page, f"patient-{language}-{look}")

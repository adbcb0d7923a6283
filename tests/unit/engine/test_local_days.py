"""Due moments from the tables are those of the time zone itself, on every day."""

import numpy as np

from alerting.engine import local_days
from alerting.engine.compiled import schedule_bits
from alerting.engine.kernel import schedules as kernel
from alerting.engine.kernel.layout import DAYS_IN_TABLE, SCHEDULE
from alerting.engine.programme import Schedule

MINUTES = (0, 1, 119, 120, 150, 179, 180, 181, 660, 1_439)
FIRST, LAST = 10_957, 32_873  # 2000-01-01 … 2060-01-01


def test_every_day_from_2000_to_2060() -> None:
    days = local_days.offsets().reshape(-1)
    for day in range(FIRST, LAST):
        for minute in MINUTES if days[day] != days[DAYS_IN_TABLE + day] else MINUTES[::4]:
            assert kernel.due_on_day(day, minute, days) == local_days.due_us(day, minute), (day, minute)


def test_each_day_has_one_due_moment_also_when_the_clock_changes() -> None:
    days = local_days.offsets().reshape(-1)
    for before in ("00:00", "02:30", "11:00", "23:59"):
        minute, bits = schedule_bits(Schedule(kind="body_weight", before=before))
        schedule = np.array([(0, minute, bits, 0, 0)], SCHEDULE)[0]
        due = kernel.last_due(local_days.due_us(20_537, 0), schedule, days)
        for _ in range(366):
            after = kernel.next_due(due, schedule, days)
            assert 23 * 3_600_000_000 <= after - due <= 25 * 3_600_000_000
            assert kernel.last_due(after - 1, schedule, days) == due
            assert kernel.last_due(after, schedule, days) == after
            due = after


def test_only_the_days_of_the_schedule_are_due() -> None:
    days = local_days.offsets().reshape(-1)
    minute, bits = schedule_bits(Schedule(kind="body_weight", before="11:00", on=("mon", "thu")))
    schedule = np.array([(0, minute, bits, 0, 0)], SCHEDULE)[0]
    monday = local_days.due_us(20_535, minute)  # 2026-03-23
    assert kernel.next_due(monday, schedule, days) == local_days.due_us(20_538, minute)
    assert kernel.last_due(monday - 1, schedule, days) == local_days.due_us(20_531, minute)


def test_beyond_the_tables_nothing_is_due() -> None:
    days = local_days.offsets().reshape(-1)
    schedule = np.array([(0, 660, 127, 0, 0)], SCHEDULE)[0]
    assert kernel.next_due(DAYS_IN_TABLE * kernel.DAY_US, schedule, days) == kernel.NEVER
    assert kernel.last_due(0, schedule, days) == -1

"""What was refused and is tried again weeks later means what it would have meant then."""

import json
from collections.abc import Sequence

from models.clock import DAY_US
from models.db.pool import Pool
from tests.integration.alerting.following import (
    Record,
    findings_of,
    follow,
    small_log,
    store,
    stored_findings,
    undisturbed,
)
from tests.integration.alerting.small_log import START_US


def tried_again(log: Sequence[Record], patients: set[str]) -> list[Record]:
    """The log when some days of these patients were refused at first: now they stand behind all the rest.

    As the register tells them: the same bytes, with the receipt of the first time.
    """

    def is_refused(value: bytes) -> bool:
        message = json.loads(value)
        at_us = message.get("received_at_us", 0)
        return (
            message.get("patient_id") in patients
            and START_US + 3 * DAY_US <= at_us < START_US + 9 * DAY_US
            and message["type"] == "upload"
        )

    first = [record.value for record in log if not is_refused(record.value)]
    again = [record.value for record in log if is_refused(record.value)]
    assert len(again) > 10
    return [Record(offset, value) for offset, value in enumerate([*first, *again])]


async def test_weeks_later_findings_are_as_if_nothing_had_been_refused(
    pool: Pool, storing_pool: Pool
) -> None:
    as_it_was = findings_of(undisturbed(small_log()))
    patients = sorted({str(finding.patient_id) for finding in as_it_was})[:3]
    log = tried_again(small_log(), set(patients))
    handler = await follow(pool, log)
    assert await stored_findings(pool) != as_it_was, "the engine itself does not look back so far"
    await store(storing_pool, log)
    await handler.idle()
    assert await stored_findings(pool) == as_it_was
    await follow(pool, log)
    assert await stored_findings(pool) == as_it_was, "and so it is after a restart"

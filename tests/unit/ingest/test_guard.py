"""A partition that refuses nearly everything stops; a single bad sender does not stop it."""

import numpy as np
import pytest

from ingest.guard import Guard
from models.columns import Reason, Refusal
from models.errors import Broken


def guard() -> Guard:
    return Guard(3, limit=0.95, window_readings=1_000)


def refused(offsets: range, readings: int = 1) -> list[Refusal]:
    return [Refusal(3, offset, -1, Reason.UNKNOWN_SCHEMA, "schema", "1", "2", readings) for offset in offsets]


def test_a_thousand_refused_messages_stop_the_partition() -> None:
    watching = guard()
    watching.watch(np.arange(0), refused(range(999)))
    with pytest.raises(Broken, match=r"Partition 3 refuses 100% .*unknown_schema 1000"):
        watching.watch(np.arange(0), refused(range(1)))


def test_messages_without_readings_count() -> None:
    with pytest.raises(Broken):
        guard().watch(np.arange(0), refused(range(1_000), readings=0))


def test_one_in_ten_that_is_sound_is_enough_to_go_on() -> None:
    watching = guard()
    for first in range(0, 10_000, 100):
        watching.watch(np.arange(first, first + 10), refused(range(first + 10, first + 100)))


def test_one_enormous_upload_stops_nothing() -> None:
    watching = guard()
    watching.watch(np.arange(500), [*refused(range(500, 501), 10_000), *refused(range(501, 502), 5_001)])
    watching.watch(np.zeros(0, np.int64), refused(range(502, 503), 10_000))


def test_what_was_sound_long_ago_does_not_excuse_what_is_refused_now() -> None:
    watching = guard()
    watching.watch(np.arange(50_000), [])
    watching.watch(np.arange(0), refused(range(500)))
    with pytest.raises(Broken):
        watching.watch(np.arange(0), refused(range(500, 1_500)))


def test_bad_readings_within_good_uploads_are_weighed_by_their_share() -> None:
    half = [Refusal(3, offset, 1, Reason.IMPLAUSIBLE, "value", "", "") for offset in range(2_000)]
    guard().watch(np.arange(2_000), half)
    with pytest.raises(Broken):
        guard().watch(np.arange(10), [*half, *half])

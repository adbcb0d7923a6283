"""The canaries: what they send is sound in live and trial databases, and what is late is said to be."""

from typing import Literal

import pytest

from alerting.engine.compiled import compile_programmes
from alerting.partition import Partition
from alerting.watch import canary
from alerting.watch.canary import Flock, Song, canaries, introduction, song
from alerting.watch.heart import Limits, Signs, Wrong, wrong
from alerting.watch.programme import with_canary
from ingest.keys import partition_of
from models.errors import RefuseToStart
from models.findings import Signal
from models.messages import Origin
from tests import shipped
from tests.wire import clock, log

NOW_US = 1_795_332_660_000_000
LIMIT_S = 120.0
MINUTE = 60_000_000


def test_each_partition_has_one_of_its_own_and_always_the_same() -> None:
    for partitions in (1, 4, 12, 48):
        found = canaries(partitions)
        assert [partition_of(one, partitions) for one in found] == list(range(partitions))
        assert found == canaries(partitions)


@pytest.mark.parametrize("purpose", ["live", "trial"])
def test_each_song_is_an_alert_of_its_own_and_over_before_the_next(purpose: Literal["live", "trial"]) -> None:
    programmes = compile_programmes(with_canary(shipped.programmes()))
    who = canaries(1)[0]
    partition = Partition(0, programmes, purpose, 1)
    messages = [clock(NOW_US), *introduction(who, 60, NOW_US)]
    for minute in range(1, 4):
        taken_us = NOW_US + minute * MINUTE
        messages += [song(who, taken_us, taken_us + 400_000)]
        messages += [clock(taken_us + second * 1_000_000) for second in range(1, 60)]
    evaluated = partition.advance(log(*messages), "nonce")
    said = [
        (stretch.origin, transition.what.name, transition.at_us)
        for stretch in evaluated.stretches
        for transition in stretch.verdict.transitions
        if transition.what.name in ("OPEN", "CLEAR")
    ]
    starts = [NOW_US + minute * MINUTE for minute in range(1, 4)]
    assert said == [
        one
        for start in starts
        for one in (
            (Origin.CANARY, "OPEN", start),
            (Origin.CANARY, "CLEAR", start + MINUTE // 2 + 1),
        )
    ]
    assert evaluated.problems == ()
    assert {t.signal for t in programmes.versions[canary.CANARY, 1].programme.rules.values()} == {
        Signal.DEVICE
    }


def test_the_name_is_taken() -> None:
    with pytest.raises(RefuseToStart, match="canary"):
        with_canary(with_canary(shipped.programmes()))


def flock() -> Flock:
    return Flock(canaries(2))


def sing(birds: Flock, at_us: int) -> list[Song]:
    songs = birds.sing(at_us, at_us)
    birds.sent(songs)
    return songs


def test_what_came_out_is_measured_once_and_all_before_it_is_answered() -> None:
    birds = flock()
    first = sing(birds, NOW_US)
    second = sing(birds, NOW_US + MINUTE)
    assert birds.stored([one.reading for one in first], NOW_US + 2_000_000) == [2.0, 2.0]
    assert birds.stored([one.reading for one in first], NOW_US + 3_000_000) == []
    assert birds.came_out([second[0].finding], NOW_US + MINUTE + 1_500_000) == [1.5]
    assert [one.partition for one in birds.on_their_way()] == [1, 1]
    assert birds.waits_s(0, NOW_US + 10 * MINUTE) == 0
    assert not birds.is_in_time(NOW_US + MINUTE, LIMIT_S), "of the other nobody has heard anything yet"


def test_what_is_late_says_how_far_it_got() -> None:
    birds = flock()
    birds.sing(NOW_US, NOW_US)
    late_us = NOW_US + 121_000_000
    assert [one.got for one in birds.late(late_us, LIMIT_S)] == ["not written to the log"] * 2
    songs = sing(birds, NOW_US + 2 * MINUTE)
    birds.stored([songs[1].reading], late_us)
    assert [one.got for one in birds.late(late_us, LIMIT_S)] == [
        "in the log, not stored",
        "stored, without an alert",
    ]
    assert canary.said_of(birds.late(late_us, LIMIT_S)) == (
        "in the log, not stored: partitions 0; stored, without an alert: partitions 1; longest 121 s"
    )
    birds.came_out([one.finding for one in songs], late_us)
    assert birds.late(late_us, LIMIT_S) == []
    assert birds.is_in_time(late_us, LIMIT_S)


def test_a_long_outage_is_remembered_by_its_beginning_alone() -> None:
    birds = flock()
    for minute in range(600):
        sing(birds, NOW_US + minute * MINUTE)
    assert len(birds.on_their_way()) == 2 * canary.MOST_WAITING
    assert birds.waits_s(0, NOW_US + 600 * MINUTE) == 36_000


def test_an_answer_that_is_late_itself_leaves_what_was_sent_since() -> None:
    birds = flock()
    songs = [sing(birds, NOW_US + minute * MINUTE) for minute in range(4)]
    birds.came_out([one.finding for one in songs[0]], NOW_US + 3 * MINUTE)
    assert birds.waits_s(0, NOW_US + 3 * MINUTE) == 120


@pytest.mark.parametrize(
    ("signs", "expected"),
    [
        (Signs(True, 0, 1), []),
        (Signs(None, 0, 1), []),
        (Signs(False, 0, 1), [Wrong.CANARY]),
        (Signs(True, 301, 1), [Wrong.STEPS]),
        (Signs(True, 300, 301), [Wrong.AUDITOR]),
        (Signs(False, 301, None), [Wrong.CANARY, Wrong.STEPS, Wrong.AUDITOR]),
    ],
)
def test_the_heart_beats_only_while_all_is_well(signs: Signs, expected: list[Wrong]) -> None:
    assert list(wrong(signs, Limits(steps_s=300, auditor_s=300))) == expected


def test_the_organisation_is_the_one_that_the_migration_enters() -> None:
    from models.db.installation import migration_files

    (sql,) = [sql for _, name, sql in migration_files() if name == "0023_watch.sql"]
    assert str(canary.ORGANISATION) in sql

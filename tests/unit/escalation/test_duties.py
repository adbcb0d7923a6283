"""Every instant has exactly one duty: in the rosters we ship, and in any that the checks let through."""

from datetime import date, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.escalation.calendar import (
    AMSTERDAM,
    CHANGING_MINUTES,
    HOLIDAY,
    WEEKDAYS,
    holiday_names,
    time_of,
)
from alerting.escalation.duty import Duty, Shift
from alerting.escalation.roster import Roster, RosterBook, changes
from alerting.escalation.roster_checks import ALL_DAYS, problems
from models.clock import DAY_US, MINUTE_US, to_datetime, to_us
from models.escalations import Recipient
from tests import shipped
from tests.examples import examples
from tests.naive.duties import SlowDuties, covers

YEARS = range(2026, 2031)


def at(text: str) -> int:
    """A time by the clocks of Amsterdam, or with its offset."""
    moment = datetime.fromisoformat(text)
    return to_us(moment if moment.tzinfo is not None else moment.replace(tzinfo=AMSTERDAM))


def slow(recipient: Recipient) -> SlowDuties:
    (roster,) = (one for one in shipped.rosters().rosters if recipient in one.recipients)
    return SlowDuties(roster)


@pytest.mark.parametrize("recipient", Recipient)
@pytest.mark.timeout(600)
def test_every_minute_of_five_years_has_exactly_one_duty(recipient: Recipient) -> None:
    walked = list(slow(recipient).minutes(recipient, date(YEARS[0], 1, 1), date(YEARS[-1] + 1, 1, 1)))
    begin_us, end_us = at(f"{YEARS[0]}-01-01T00:00"), at(f"{YEARS[-1] + 1}-01-01T00:00")
    assert len(walked) == (end_us - begin_us) // MINUTE_US
    assert all(len(answers) == 1 for answers in walked)
    reached_us = begin_us
    for duty in changes(shipped.rosters(), recipient, begin_us, end_us):
        first, last = max(duty.from_us, begin_us), min(duty.until_us, end_us)
        assert first == reached_us, "each duty begins when the one before ends"
        said = {
            answers for (answers,) in walked[(first - begin_us) // MINUTE_US : (last - begin_us) // MINUTE_US]
        }
        assert {(who, name) for who, name, _ in said} == {(duty.recipient, duty.name)}
        assert len(said) == 1, "no change before its end"
        if last < end_us and (duty.recipient, duty.name) == walked[(last - begin_us) // MINUTE_US][0][:2]:
            assert walked[(last - begin_us) // MINUTE_US][0] not in said, "a change at its end"
        reached_us = duty.until_us
    assert reached_us >= end_us


@pytest.mark.parametrize("day", ["2026-03-29", "2026-10-25", "2030-03-31", "2030-10-27"])
@pytest.mark.parametrize("recipient", Recipient)
def test_each_instant_of_a_night_in_which_the_clocks_change(recipient: Recipient, day: str) -> None:
    begin_us = at(f"{day}T00:00") - 2 * 60 * MINUTE_US
    walked = slow(recipient)
    for minute in range(12 * 60):
        moment_us = begin_us + minute * MINUTE_US
        ((who, name, _),) = walked.at(recipient, to_datetime(moment_us))
        for moment in (moment_us, moment_us + 1, moment_us + MINUTE_US - 1):
            duty = shipped.rosters().on_duty(recipient, moment)
            assert (duty.recipient, duty.name) == (who, name)
            assert duty.from_us <= moment < duty.until_us


def test_a_night_is_an_hour_shorter_or_longer_when_the_clocks_change() -> None:
    hours = {
        day: (duty.until_us - duty.from_us) / MINUTE_US / 60
        for day in ("2026-03-27", "2026-03-28", "2026-10-24")
        for duty in (shipped.rosters().on_duty(Recipient.NURSE, at(f"{day}T23:30")),)
    }
    assert hours == {"2026-03-27": 8.5, "2026-03-28": 7.5, "2026-10-24": 9.5}


@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2026-11-30T07:59:59.999999", Recipient.OUT_OF_HOURS_POST),
        ("2026-11-30T08:00", Recipient.HUISARTS),
        ("2026-11-30T16:59:59.999999", Recipient.HUISARTS),
        ("2026-11-30T17:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-11-28T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-01-01T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-04-03T12:00", Recipient.HUISARTS),  # Good Friday: practices work
        ("2026-04-06T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-04-27T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-05-05T12:00", Recipient.HUISARTS),  # Liberation day counts every fifth year
        ("2035-05-05T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-05-14T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-05-25T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-12-25T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2028-12-26T12:00", Recipient.OUT_OF_HOURS_POST),
        ("2027-04-26T12:00", Recipient.HUISARTS),
        ("2031-04-26T12:00", Recipient.OUT_OF_HOURS_POST),  # King's day, when the 27th is a Sunday
        ("2026-10-25T02:30+02:00", Recipient.OUT_OF_HOURS_POST),
        ("2026-10-25T02:30+01:00", Recipient.OUT_OF_HOURS_POST),
    ],
)
def test_the_post_answers_for_the_huisarts_outside_practice_hours(moment: str, who: Recipient) -> None:
    for asked in (Recipient.HUISARTS, Recipient.OUT_OF_HOURS_POST):
        duty = shipped.rosters().on_duty(asked, at(moment))
        assert duty.recipient is who
        assert (duty.shift is Shift.OFFICE) == (who is Recipient.HUISARTS)


def test_who_stands_in_does_so_no_longer_than_the_desk_is_closed() -> None:
    duty = shipped.rosters().on_duty(Recipient.REFERRAL_DESK, at("2026-11-30T17:30"))
    assert (duty.recipient, duty.name) == (Recipient.COORDINATION_CENTRE, "evening")
    assert (duty.from_us, duty.until_us) == (at("2026-11-30T17:00"), at("2026-12-01T00:00"))
    early = shipped.rosters().on_duty(Recipient.REFERRAL_DESK, at("2026-12-01T07:59"))
    assert (early.name, early.until_us) == ("night", at("2026-12-01T08:00"))


def test_the_centre_has_somebody_of_its_own_around_the_clock() -> None:
    begin_us = at("2026-01-01T00:00")
    duties = list(changes(shipped.rosters(), Recipient.NURSE, begin_us, begin_us + 365 * DAY_US))
    assert {duty.recipient for duty in duties} == {Recipient.NURSE}
    assert max(duty.until_us - duty.from_us for duty in duties) <= 10 * 60 * MINUTE_US


TIMES = st.integers(0, 287).map(lambda n: n * 5).filter(lambda minutes: minutes not in CHANGING_MINUTES)
KINDS = (*WEEKDAYS, HOLIDAY)


@st.composite
def lines(draw: st.DrawFn, stand_in: Recipient | None) -> dict[str, Any]:
    """Lines that follow each other, the same cuts on each day; who has a stretch differs from day to day."""
    cuts = sorted(draw(st.sets(TIMES, min_size=1, max_size=5)))
    found: dict[str, Any] = {}
    for number, begin in enumerate(cuts):
        end = cuts[(number + 1) % len(cuts)]
        teams = draw(st.lists(st.integers(0, 2), min_size=len(KINDS), max_size=len(KINDS)))
        for team in set(teams):
            on = [kind for kind, of in zip(KINDS, teams, strict=True) if of == team]
            line: dict[str, Any] = {"on": on, "from": time_of(begin), "until": time_of(end)}
            line["title"] = {"nl": "a", "en": "b"}
            away = stand_in is not None and draw(st.booleans())
            line |= {"by": stand_in} if away else {"shift": draw(st.sampled_from(Shift))}
            found[f"stretch{number}_team{team}"] = line
    return found


@st.composite
def rosters(draw: st.DrawFn) -> dict[str, Any]:
    """Two recipients, of whom the second stands in for the first at times."""
    closed = draw(st.sets(st.sampled_from(holiday_names())))
    return {
        "roster": "sample", "version": 1, "title": {"nl": "a", "en": "b"}, "source": "x", "mark": "P",
        "holidays": {
            "closed": sorted(closed),
            "as_usual": [name for name in holiday_names() if name not in closed],
        },
        "recipients": {
            "referral_desk": draw(lines(Recipient.COORDINATION_CENTRE)),
            "coordination_centre": draw(lines(None)),
        },
    }  # fmt: skip


MOMENTS = st.one_of(
    st.integers(at("2026-01-01T00:00"), at("2031-01-01T00:00")),
    st.sampled_from(["2026-03-29T00:00", "2026-10-25T00:00", "2030-03-31T00:00", "2030-10-27T00:00"]).flatmap(
        lambda day: st.integers(at(day), at(day) + 5 * 60 * MINUTE_US)
    ),
    st.sampled_from(["2026-12-24", "2026-12-26", "2026-04-05", "2026-04-27", "2029-12-31"]).flatmap(
        lambda day: st.integers(at(f"{day}T00:00"), at(f"{day}T00:00") + 2 * DAY_US)
    ),
)


@examples(150)
@given(
    rosters(),
    st.lists(MOMENTS, min_size=1, max_size=4),
    st.sampled_from(["referral_desk", "coordination_centre"]),
)
def test_any_right_roster_has_one_duty_at_any_instant(
    written: dict[str, Any], moments: list[int], name: str
) -> None:
    roster, recipient = Roster.model_validate(written), Recipient(name)
    assert problems(roster) == []
    book, walked = RosterBook([roster]), SlowDuties(roster)
    for moment_us in moments:
        duty = book.on_duty(recipient, moment_us)
        ((who, line, _),) = walked.at(recipient, to_datetime(moment_us))
        assert (duty.recipient, duty.name) == (who, line)
        assert duty.from_us <= moment_us < duty.until_us
        assert duty.until_us % MINUTE_US == 0
        _nothing_changes_before_its_end(walked, recipient, duty)
        assert book.on_duty(recipient, duty.until_us).from_us == duty.until_us
        assert book.on_duty(recipient, duty.from_us - 1).until_us == duty.from_us


def _nothing_changes_before_its_end(walked: SlowDuties, recipient: Recipient, duty: Duty) -> None:
    moments = range(duty.from_us, duty.until_us, 15 * MINUTE_US)
    said = {walked.at(recipient, to_datetime(moment_us)) for moment_us in (*moments, duty.until_us - 1)}
    assert {(who, line) for ((who, line, _),) in said} == {(duty.recipient, duty.name)}


@st.composite
def changed_rosters(draw: st.DrawFn) -> dict[str, Any]:
    """A right roster in which one line of the centre ends elsewhere, or misses a day."""
    written = draw(rosters())
    centre = written["recipients"]["coordination_centre"]
    line = centre[draw(st.sampled_from(sorted(centre)))]
    if draw(st.booleans()):
        line[draw(st.sampled_from(["from", "until"]))] = time_of(draw(TIMES))
    elif len(line["on"]) > 1:
        line["on"].pop()
    return written


@examples(40)
@given(changed_rosters())
def test_the_checks_find_exactly_the_rosters_with_gaps_or_overlaps(written: dict[str, Any]) -> None:
    roster = Roster.model_validate(written)
    lines = roster.recipients[Recipient.COORDINATION_CENTRE]
    right = all(
        len(covers(lines, kind, before, minute)) == 1
        for kind, before in ALL_DAYS
        for minute in range(0, 1_440, 5)
    )
    assert (problems(roster) == []) == right

"""Both sides of a comparison: against counting one by one, and small cases by hand."""

from uuid import UUID

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from alerting.backtest.alerts import Alerts, as_alerts
from alerting.backtest.found import NEVER_US, Followed
from alerting.backtest.result import Held
from alerting.explain.vocabulary import Language
from alerting.shadow.candidates import Candidates
from alerting.shadow.comparison import Comparison, columns, compare
from alerting.shadow.seen import Compared
from alerting.shadow.seen_in_words import page, structure
from alerting.shadow.told import table
from models.clock import DAY_US, HOUR_US
from models.db.shadow_findings import Seen
from models.db.shadows import Shadow
from models.findings import Severity, Signal
from tests import shipped

FROM_US, UNTIL_US = 100 * DAY_US, 200 * DAY_US
RULES = (
    ("heart_failure", "weight_gain_3d", Signal.FLUID),
    ("heart_failure", "spo2_low", Signal.BREATHING),
    ("copd", "spo2_below_own", Signal.BREATHING),
)


def seen(patient: int, rule: int, opened_us: int, cleared_us: int | None, severity: Severity) -> Seen:
    programme, name, signal = RULES[rule]
    return Seen(UUID(int=patient), programme, 1, name, signal, severity, opened_us, cleared_us, quiet=False)


def held_for(patient: int, rule: int, begin_h: int, length_h: int | None, severity: Severity) -> Seen:
    begin_us = FROM_US + begin_h * HOUR_US
    cleared_us = None if length_h is None else begin_us + length_h * HOUR_US
    return seen(patient, rule, begin_us, cleared_us, severity)


FINDINGS = st.lists(
    st.builds(
        held_for,
        st.integers(0, 3),
        st.integers(0, 2),
        st.integers(-48, 240),
        st.none() | st.integers(1, 60),
        st.sampled_from(Severity),
    ),
    max_size=12,
    unique_by=lambda one: (one.patient_id, one.rule),
)
NOBODY_AWAY = Held(np.zeros(0, np.int32), np.zeros(0, np.bool_), np.zeros(0, np.int64), np.zeros(0, np.int64))


def followed(patients: int = 4) -> Followed:
    return Followed(
        [str(UUID(int=number)) for number in range(patients)],
        np.full(patients, FROM_US),
        np.full(patients, UNTIL_US),
        np.zeros(patients, np.int64),
    )


def compared(live: list[Seen], tried: list[Seen]) -> Comparison:
    return compare(
        followed(), NOBODY_AWAY, live, tried,
        replaced={"heart_failure"}, from_us=FROM_US, until_us=UNTIL_US, policies=shipped.policies(),
    )  # fmt: skip


def rows(alerts: Alerts) -> list[tuple[int, ...]]:
    columns_ = (alerts.patient, alerts.signal, alerts.opened_at_us, alerts.closed_at_us, alerts.manual)
    return list(zip(*(column.tolist() for column in columns_), strict=True))


@given(FINDINGS, FINDINGS)
def test_each_alert_is_counted_once_on_its_side(live: list[Seen], tried: list[Seen]) -> None:
    tried = [one for one in tried if one.programme == "heart_failure"]
    found = compared(live, tried)
    other = [one for one in live if one.programme != "heart_failure"]
    a, b = (
        rows(as_alerts(columns(s, followed(), UNTIL_US), shipped.policies()))
        for s in (live, [*other, *tried])
    )
    for side, own, others in ((found.live, a, b), (found.candidate, b, a)):
        counted = [row for row in own if row[2] >= FROM_US]
        alone = [
            row
            for row in counted
            if not any(o[:2] == row[:2] and o[2] <= row[3] and o[3] >= row[2] for o in others)
        ]
        assert (side.all.alerts, side.only.alerts) == (len(counted), len(alone))
        assert side.all.manual == sum(row[4] for row in counted)
        assert side.all.patients == len({row[0] for row in counted})
        assert len(side.examples) == min(5, sum(row[4] for row in alone))


@given(FINDINGS)
def test_a_candidate_that_finds_the_same_shows_the_same(live: list[Seen]) -> None:
    found = compared(live, [one for one in live if one.programme == "heart_failure"])
    assert found.live == found.candidate
    assert found.live.only.alerts == 0


def two_sides() -> Comparison:
    """Each of four patients gains weight; the candidate tells of one, and of the breathing of another."""
    day = FROM_US + 10 * DAY_US
    live = [seen(n, 0, day + n * HOUR_US, day + DAY_US * (n + 1), Severity.MEDIUM) for n in range(4)]
    tried = [live[0], seen(1, 1, day, None, Severity.HIGH)]
    return compared([*live, seen(3, 2, day, day + DAY_US, Severity.MEDIUM)], tried)


def test_by_hand() -> None:
    found = two_sides()
    assert (found.live.all.alerts, found.live.only.alerts) == (5, 3)
    assert (found.candidate.all.alerts, found.candidate.only.alerts) == (3, 1)
    assert found.patient_days == 400
    (example,) = found.candidate.examples
    assert (example.patient, example.rules, example.closed_at_us) == (
        str(UUID(int=1)), ("heart_failure/spo2_low",), None,
    )  # fmt: skip
    whole = table(found, tells_all=True)
    assert whole.all.only_live == found.live.only
    few = table(found, tells_all=False)
    assert few.all.live is None
    assert few.by_rule["heart_failure/weight_gain_3d"].live is None
    assert few.by_rule["heart_failure/spo2_low"].live == whole.by_rule["heart_failure/spo2_low"].live


def test_the_page_has_every_figure_and_without_leave_no_patient() -> None:
    found = two_sides()
    candidates = Candidates.of([shipped.programme("heart_failure")])
    shadow = Shadow("thuiswacht.shadow.x", candidates.content, candidates.digest, "now")
    of_trial = Compared(shadow, candidates, "trial", FROM_US, found, [("limits.x", "y", 3)], by_person=False)
    of_live = Compared(shadow, candidates, "live", FROM_US, found, [("limits.x", "y", 3)], by_person=False)
    for language in Language:
        said = "\n".join(page(of_trial, language))
        assert str(UUID(int=1)) in said
        assert ("1,25" if language is Language.NL else "1.25") in said
        hidden = "\n".join(page(of_live, language))
        assert "00000000-" not in hidden
        assert "—" in hidden
        assert "limits.x: 3" not in hidden
        assert "400" not in hidden
    assert structure(of_live)["only"] == {"live": None, "candidate": None}


def test_a_finding_that_clears_later_still_holds_at_the_end() -> None:
    found = columns([seen(0, 0, FROM_US, UNTIL_US + 1, Severity.LOW)], followed(), UNTIL_US)
    assert found.cleared_at_us.tolist() == [NEVER_US]

from dataclasses import replace
from uuid import UUID

from alerting.engine.verdict import Transition, What
from alerting.findings import Folded, PatientVerdict, fold
from models.findings import Evidence, Finding, RuleIdentity, Severity, Signal, finding_id

PATIENT, ORGANISATION = UUID(int=1), UUID(int=2)
RULE = RuleIdentity("heart_failure", 1, "weight_gain_3d", Signal.FLUID, "hash", cooldown_us=100)
GAIN = (Evidence("rise(body_weight, days=3)", 2.4, "kg", "gain_3d", 2.0),)
MORE = (Evidence("rise(body_weight, days=3)", 3.4, "kg", "gain_3d_severe", 3.0),)


def opens(at_us: int, severity: Severity = Severity.MEDIUM, rule: RuleIdentity = RULE) -> Transition:
    return Transition(0, What.OPEN, rule, severity, at_us, at_us, raised=False, evidence=GAIN)


def clears(opened_at_us: int, at_us: int) -> Transition:
    return Transition(0, What.CLEAR, RULE, Severity.MEDIUM, opened_at_us, at_us, raised=False, evidence=())


def rises(opened_at_us: int, at_us: int) -> Transition:
    return Transition(0, What.RAISE, RULE, Severity.HIGH, opened_at_us, at_us, raised=True, evidence=MORE)


def keeps(opened_at_us: int, *, raised: bool = False) -> Transition:
    severity = Severity.HIGH if raised else Severity.MEDIUM
    return Transition(0, What.KEEP, RULE, severity, opened_at_us, opened_at_us, raised=raised, evidence=())


def told(
    *transitions: Transition, existing: tuple[Finding, ...] = (), from_us: int | None = None
) -> tuple[Folded, tuple[Finding, ...]]:
    folded = fold(existing, PatientVerdict(PATIENT, ORGANISATION, 3, transitions, from_us))
    stored = {finding.finding_id: finding for finding in existing}
    stored |= {change.after.finding_id: change.after for change in folded.changes}
    return folded, tuple(stored.values())


def test_a_finding_opens_rises_and_clears() -> None:
    folded, (finding,) = told(opens(10), rises(10, 20), clears(10, 30))
    assert [change.at_us for change in folded.changes] == [10, 20, 30]
    assert finding == Finding(
        finding_id=finding_id(PATIENT, "heart_failure", "weight_gain_3d", 10),
        patient_id=PATIENT,
        organisation_id=ORGANISATION,
        log_partition=3,
        programme="heart_failure",
        version=1,
        rule="weight_gain_3d",
        signal=Signal.FLUID,
        severity=Severity.HIGH,
        opened_at_us=10,
        opening=GAIN,
        programme_hash="hash",
        cleared_at_us=30,
        raised_at_us=20,
        raised=MORE,
    )


def test_what_is_stored_already_changes_nothing() -> None:
    _, stored = told(opens(10), clears(10, 30))
    folded, _ = told(clears(10, 30), existing=stored)
    assert folded == Folded(())


def test_a_replay_retracts_what_it_does_not_find_again() -> None:
    _, stored = told(opens(10), clears(10, 20), opens(30), clears(30, 35), opens(40))
    folded, after = told(opens(32), clears(32, 36), opens(40), existing=stored, from_us=25)
    standing = {finding.opened_at_us: (finding.retracted, finding.cleared_at_us) for finding in after}
    assert standing == {10: (False, 20), 30: (True, 35), 32: (False, 36), 40: (False, None)}
    assert [(change.after.opened_at_us, change.late) for change in folded.changes] == [(30, True), (32, True)]


def test_a_finding_that_opened_where_the_replay_began_stays() -> None:
    _, stored = told(opens(10), clears(10, 20))
    folded, _ = told(existing=stored, from_us=20)
    assert folded == Folded(())


def test_a_retracted_finding_returns_under_its_id() -> None:
    _, stored = told(opens(10))
    _, retracted = told(existing=stored, from_us=5)
    assert retracted[0].retracted
    _, returned = told(opens(10), existing=retracted, from_us=5)
    assert returned == stored


def test_a_replay_takes_back_a_clear_and_a_rise_that_came_after_it_began() -> None:
    _, stored = told(opens(10), rises(10, 20), clears(10, 30))
    _, (finding,) = told(keeps(10), existing=stored, from_us=15)
    assert (finding.severity, finding.raised_at_us, finding.raised) == (Severity.MEDIUM, None, ())
    assert finding.cleared_at_us is None
    _, (finding,) = told(keeps(10, raised=True), clears(10, 40), existing=stored, from_us=25)
    assert (finding.severity, finding.raised_at_us, finding.raised) == (Severity.HIGH, 20, MORE)
    assert finding.cleared_at_us == 40


def test_shortly_after_the_same_rule_a_finding_is_quiet() -> None:
    _, stored = told(opens(10), clears(10, 20), opens(120), clears(120, 130), opens(231))
    assert [finding.quiet for finding in stored] == [False, True, False]
    _, replayed = told(opens(110), existing=stored[:1], from_us=50)
    assert replayed[1].quiet


def test_worse_than_before_is_never_quiet() -> None:
    _, stored = told(opens(10), clears(10, 20), opens(30, Severity.HIGH))
    assert not stored[1].quiet


def test_another_rule_or_a_retracted_finding_quiets_nothing() -> None:
    other = RuleIdentity("hypertension", 1, "pressure_mean", Signal.PRESSURE, "hash", cooldown_us=100)
    _, stored = told(opens(10), clears(10, 20), opens(30, rule=other))
    assert not stored[1].quiet
    _, stored = told(opens(30), existing=told(opens(10), clears(10, 20))[1], from_us=5)
    assert [(finding.retracted, finding.quiet) for finding in stored] == [(True, False), (False, False)]


def test_a_contradiction_between_engine_and_store_is_told() -> None:
    folded, _ = told(clears(10, 20))
    assert folded.contradiction is not None
    folded, _ = told(keeps(10), existing=(), from_us=15)
    assert folded.contradiction is not None
    _, stored = told(opens(10))
    folded, _ = told(existing=stored, from_us=15)
    assert folded.contradiction is not None


def test_a_rule_that_opens_while_a_finding_of_it_is_stored_as_open_is_a_contradiction() -> None:
    other = RuleIdentity("heart_failure", 1, "weight_gain_1d", Signal.FLUID, "hash", cooldown_us=100)
    _, stored = told(opens(10))
    folded, _ = told(opens(30), existing=stored)
    assert folded.contradiction is not None
    folded, after = told(clears(10, 20), opens(30), opens(30, rule=other), existing=stored)
    assert folded.contradiction is None
    assert [finding.holds for finding in after] == [False, True, True]
    _, retracted = told(existing=stored, from_us=5)
    folded, _ = told(opens(30), existing=retracted)
    assert folded.contradiction is None


def test_a_finding_is_unconfirmed_until_the_engine_says_it_again_without() -> None:
    _, (finding,) = told(replace(opens(10), unconfirmed=True))
    assert finding.unconfirmed
    folded, (confirmed,) = told(opens(10), existing=(finding,), from_us=5)
    assert not confirmed.unconfirmed
    assert [change.before for change in folded.changes] == [finding]


def test_a_rise_that_waits_makes_the_finding_unconfirmed_and_keeping_it_says_whether_it_still_is() -> None:
    _, (finding,) = told(opens(10), replace(rises(10, 20), unconfirmed=True))
    assert finding.unconfirmed
    _, (risen,) = told(keeps(10), rises(10, 20), existing=(finding,), from_us=15)
    assert not risen.unconfirmed
    assert risen.severity is Severity.HIGH
    _, (waiting,) = told(replace(keeps(10, raised=True), unconfirmed=True), existing=(finding,), from_us=25)
    assert waiting.unconfirmed

"""What the property tests draw is not vacuous: every feature is known, true and false in enough examples."""

from collections import Counter

from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from alerting.engine.programme import Programme
from alerting.engine.programme_checks import problems
from tests.naive.changes import Message
from tests.naive.findings import naive_patients
from tests.naive.random_logs import logs
from tests.naive.random_programmes import FEATURES, LIMITS, SCHEDULES, TEXT, WAYS, a_limit, programmes

EXAMPLES = 400
AT_LEAST = 4


def test_every_way_to_say_a_feature_is_right() -> None:
    for way in (way for ways in WAYS.values() for way in ways):
        rule = {
            "signal": "fluid", "severity": "low", "when": way.replace("?", ">"), "text": TEXT, "mark": "P",
            "clear": "last(body_weight) < light", "max_age": {"days": 1}, "source": "random",
        }  # fmt: skip
        made = Programme.model_validate(
            {
                "programme": "one", "version": 1, "title": TEXT, "source": "random", "schedule": SCHEDULES,
                "limits": {name: a_limit(name, *limit) for name, limit in LIMITS.items()},
                "rules": {"rule": rule},
            }
        )  # fmt: skip
        assert not [p for p in problems(made) if "that some rule uses" not in p.expected], way


def test_every_feature_is_known_true_and_false_in_many_examples() -> None:
    looked: Counter[tuple[str, bool | None]] = Counter()
    statuses: Counter[str] = Counter()
    unconfirmed = 0

    @seed(1)
    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, phases=[Phase.generate],
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )  # fmt: skip
    @given(st.data())
    def look(data: st.DataObject) -> None:
        nonlocal unconfirmed
        made: list[Programme] = data.draw(programmes())
        log: list[Message] = data.draw(logs(made))
        for patient in naive_patients(made, log):
            unconfirmed += sum(finding.unconfirmed for finding in patient.findings())
            looked.update(dict.fromkeys(patient.looked, 1))
            statuses.update({request.status: 1 for request in patient.judged.requests})

    look()
    print(looked)
    print(statuses, unconfirmed)
    rare = {(name, truth) for name in FEATURES for truth in (True, False) if looked[name, truth] < AT_LEAST}
    assert not rare
    assert min(statuses[status] for status in ("pending", "suspect", "confirmed", "unanswered")) >= AT_LEAST
    assert unconfirmed >= AT_LEAST

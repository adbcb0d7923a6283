"""What the property tests draw is not vacuous: every feature is known, true and false in enough examples."""

from collections import Counter

import pytest
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from alerting.engine.programme import Programme
from alerting.engine.programme_checks import problems
from tests.examples import TIME_LIMIT_S
from tests.naive.changes import Message
from tests.naive.findings import naive_patients
from tests.naive.random_logs import logs
from tests.naive.random_programmes import FEATURES, LIMITS, SCHEDULES, TEXT, WAYS, a_limit, programmes

EXAMPLES = 400
AT_LEAST = 2


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


Looked = Counter[tuple[str, str, bool | None]]
IN_WINDOWS = (
    "count",
    "mean",
    "median",
    "min",
    "max",
    "rise",
    "fall",
    "slope",
    "share",
    "stretch",
    "days_with",
)
IN_LONG_WINDOWS = ("mean", "median", "min", "max", "rise", "fall", "slope")


@pytest.mark.timeout(TIME_LIMIT_S)
def test_every_feature_is_known_true_and_false_in_many_examples() -> None:
    looked: Looked = Counter()
    statuses: Counter[str] = Counter()

    @settings(
        max_examples=10,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=(HealthCheck.too_slow, HealthCheck.data_too_large),
    )
    @given(st.data())
    def look(data: st.DataObject) -> None:
        made: list[Programme] = data.draw(programmes())
        log: list[Message] = data.draw(logs(made))
        for patient in naive_patients(made, log):
            statuses["unconfirmed"] += any(finding.unconfirmed for finding in patient.findings())
            looked.update(dict.fromkeys(patient.looked, 1))
            statuses.update({request.status: 1 for request in patient.judged.requests})

    for number in range(EXAMPLES // 10):  # hypothesis varies what it drew: many starts vary more
        seed(number)(look)()
    assert not rarely(looked)
    stages = ("pending", "suspect", "confirmed", "unanswered", "unconfirmed")
    assert min(statuses[stage] for stage in stages) >= AT_LEAST, statuses


def rarely(looked: Looked) -> list[tuple[str, object]]:
    """What was hardly ever so: a feature true, or false, or known through bins or daily values."""
    truths = Counter({(name, truth): 0 for name in FEATURES for truth in (True, False)})
    through = Counter(
        {(name, "bins"): 0 for name in IN_WINDOWS} | {(name, "days"): 0 for name in IN_LONG_WINDOWS}
    )
    for (name, how, truth), examples in looked.items():
        if truth is not None:
            truths[name, truth] += examples
            through[name, how] += examples
    rare: list[tuple[str, object]] = [key for key, n in truths.items() if n < AT_LEAST]
    return [*rare, *(key for key, n in through.items() if n < 1)]

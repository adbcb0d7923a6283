"""Each version finds in a backtest what `evaluate` finds with it alone."""

import tempfile
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alerting.backtest.files import Given
from alerting.backtest.versions import Version
from alerting.engine.programme import Duration, Programme
from tests.exported_log import evaluated_log, write_changes
from tests.naive.random_logs import clock, logs
from tests.naive.random_programmes import programmes
from tests.unit.backtest.tried import backtested, evaluated, ones


@given(st.data())
@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.too_slow])
def test_versions_side_by_side_find_what_each_finds_alone(data: st.DataObject) -> None:
    """Random programmes and a variant of them, over random logs with changes, corrections, doubts."""
    made = [with_cooldown(each, data.draw(st.integers(0, 48))) for each in data.draw(programmes())]
    log = [message for message in data.draw(logs(made)) if message.get("readings") != []]
    end_us = max(
        message.get("now_us", 0) or message.get("received_at_us", 0) or message["valid_from_us"]
        for message in log
    )
    other = [varied(each, data.draw(st.sampled_from([0.9, 1.0, 1.05]))) for each in made]
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        kept, _ = evaluated_log([*log, clock(end_us)], made, folder, end_us)
        registrations = write_changes(kept, folder / "registrations.ndjson")
        files = Given(folder / "readings.ndjson", registrations, until_us=end_us, skip=True)
        versions = [Version("one", made), Version("other", other), Version("part", other[:1])]
        result = backtested(files, versions)
        for version, tried in zip(versions[:2], result.versions, strict=False):
            alone = evaluated(files, version.programmes, folder)
            assert ones(tried.found, result.followed.patients) == alone
        part = ones(result.versions[2].found, result.followed.patients)
        mine = ones(result.versions[1].found, result.followed.patients)
        assert part == [each for each in mine if each.programme == other[0].programme]


def with_cooldown(programme: Programme, hours: int) -> Programme:
    if not hours:
        return programme
    rules = {
        name: rule.model_copy(update={"cooldown": Duration(hours=hours)})
        for name, rule in programme.rules.items()
    }
    return programme.model_copy(update={"rules": rules})


def varied(programme: Programme, by: float) -> Programme:
    """The same with other defaults, where they may be so."""
    limits = {
        name: limit.model_copy(update={"default": limit.default * by})
        if limit.accepts(limit.default * by)
        else limit
        for name, limit in programme.limits.items()
    }
    return programme.model_copy(update={"limits": limits})

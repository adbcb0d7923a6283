"""What a chart shows, in a sentence: the newest value, how it changed in a week, its limit; pure."""

from collections.abc import Sequence

import numpy as np

from alerting.console.patient.charts import amount, cut
from alerting.console.patient.levels import Level
from alerting.console.texts import Speaker
from alerting.explain.sentences import capital
from alerting.explain.vocabulary import kind_name
from models.clock import DAY_US, HOUR_US
from models.db.series import Series
from models.kinds import KIND_BY_NAME

_WEEK_US, _ABOUT_US = 7 * DAY_US, 36 * HOUR_US
LOOKS_BACK_US = _WEEK_US + _ABOUT_US + DAY_US


def sentence(
    series: Series,
    levels: Sequence[Level],
    change_wanted: str | None,
    t: Speaker,
    when: str,
    from_us: int,
) -> str:
    """One kind in a sentence. `series` from a week before its newest on; `when`: when that was, in words.

    **Shape**: at least one reading. **Units**: microseconds since 1970 UTC.
    """
    kind, newest = series.kind, float(series.value[-1])
    said = t(
        "patient.sentence.newest",
        kind=capital(kind_name(kind, t.language)),
        value=amount(kind, newest, t.language),
        when=when,
    )
    shown = cut(series, from_us, int(series.taken_at_us[-1]))
    if KIND_BY_NAME[kind].dense and len(shown.value) > 1:
        said += t(
            "patient.sentence.stretch",
            mean=amount(kind, float(shown.value.mean()), t.language),
            low=amount(kind, float(shown.value.min()), t.language),
            high=amount(kind, float(shown.value.max()), t.language),
        )
    else:
        said += _since_a_week(series, t)
    if change_wanted is not None:
        said += t("patient.sentence.limit", limit=change_wanted)
    elif levels:
        lines = [_level(level, t) for level in levels if level.kind == kind]
        said += t("patient.sentence.limit", limit=", ".join(lines)) if lines else ""
    return f"{said}."


def _since_a_week(series: Series, t: Speaker) -> str:
    newest_us, newest = int(series.taken_at_us[-1]), float(series.value[-1])
    apart = np.abs(series.taken_at_us[:-1] - (newest_us - _WEEK_US))
    if len(apart) == 0 or apart.min() > _ABOUT_US:
        return ""
    before = float(series.value[int(apart.argmin())])
    if round(newest, 3) == round(before, 3):
        return t("patient.sentence.same")
    which = "higher" if newest > before else "lower"
    return t(f"patient.sentence.{which}", by=amount(series.kind, abs(newest - before), t.language))


def _level(level: Level, t: Speaker) -> str:
    which = "above" if level.upwards else "below"
    return t(f"patient.sentence.{which}", value=amount(level.kind, level.value, t.language))

"""Versions of programmes on cohorts of several seeds, put together as one: found, followed, what happened."""

import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from alerting.backtest.events import Events, events_of
from alerting.backtest.files import Given, OfFiles, of_folder
from alerting.backtest.found import Followed, Found
from alerting.backtest.judged import Judged, judge
from alerting.backtest.labels import read_labels
from alerting.backtest.measures import Measured, measure
from alerting.backtest.progress import Progress
from alerting.backtest.result import Backtest, Held, Series
from alerting.backtest.running import Threads, Tries, run
from alerting.backtest.versions import Version
from alerting.engine.programme import Programme
from alerting.engine.programme_files import load_folder
from models.labels import Label
from simulators.cohorts.cohort import Cohort, write_cohort
from simulators.scenarios.files import load_scenario
from simulators.scenarios.scenario import Scenario

TUNED_ON, REPORTED_ON = range(1, 21), range(101, 121)
"""Seeds: programmes were tuned on the first, figures are of the others."""
SHIPPED, BEFORE = "shipped", "before tuning"
Tell = Callable[[str], None]
Extra = Callable[[Mapping[int, Series], Followed], Found]
"""A rule that the language has no words for: from readings to what it finds."""


@dataclass(frozen=True, slots=True)
class Lives:
    """Who is simulated: a scenario, so many patients for so many days with each seed, a little different."""

    scenario: str
    patients: int
    days: int
    seeds: Sequence[int] = REPORTED_ON
    vary: Mapping[str, float] = field(default_factory=dict[str, float])


@dataclass(frozen=True, slots=True)
class Sum:
    """One cohort: its seed, how much it is, and the digest of all that it says."""

    seed: int
    readings: int
    digest: str


@dataclass(frozen=True, slots=True)
class Trial:
    """What each version found in everybody, by its name; and what really happened.

    `readings_of`: how many readings of the kind that was asked for each patient has. **Shape**: [patients].
    """

    lives: Lives
    cohorts: Sequence[Sum]
    followed: Followed
    held: Held
    events: Events
    found: Mapping[str, Found]
    readings_of: NDArray[np.int64]

    def judged(self, name: str) -> Judged:
        """A version beside what happened."""
        return judge(name, self.found[name], self.events, held=self.held)

    def measured(self, names: Sequence[str], draws: int) -> Measured:
        """The figures of versions, without those of each rule."""
        judged = [self.judged(name) for name in names]
        return measure(judged, self.followed, self.events, held=self.held, with_rules=0, draws=draws)


def first_programmes() -> Mapping[str, Programme]:
    """The first version of each: cohorts are enrolled in these, so that tuning does not change who lives."""
    return {programme.programme: programme for programme in reversed(load_folder())}


def newest(*names: str) -> Sequence[Programme]:
    """What is shipped of some programmes, in its newest version."""
    programmes = {programme.programme: programme for programme in load_folder()}
    return [programmes[name] for name in names]


def shipped_and_first(name: str) -> list[Version]:
    """What is shipped, and what was before tuning: who was enrolled in that can then be followed."""
    first = first_programmes()
    return [Version(SHIPPED, newest(name, "devices")), Version(BEFORE, [first[name], first["devices"]])]


def try_on(
    lives: Lives,
    versions: Sequence[Version],
    tell: Tell,
    *,
    extra: tuple[str, Extra] | None = None,
    counting: str = "",
) -> Trial:
    """Simulates each seed into a folder that is then thrown away, and lets all versions look at it.

    `extra` is one more version, with its name; `counting`: the kind whose readings are to be counted.
    """
    sums: list[Sum] = []
    results: list[Backtest] = []
    founds: dict[str, list[Found]] = {}
    readings_of: list[int] = []
    for seed in lives.seeds:
        with tempfile.TemporaryDirectory(prefix="clinical-") as folder:
            cohort = _simulated(lives, seed, Path(folder))
            result = _backtested(cohort, versions)
            series: Mapping[int, Series] = {}
            if extra or counting:
                series = result.series(range(len(result.followed.patients)))
            if counting:
                readings_of += [
                    sum(kind == counting for kind in one.kind) for _, one in sorted(series.items())
                ]
            if extra:
                founds.setdefault(extra[0], []).append(extra[1](series, result.followed))
        sums.append(Sum(seed, cohort.readings, cohort.digest))
        results.append(result)
        tell(f"{lives.scenario} seed {seed}: {cohort.readings:,} readings, digest {cohort.digest[:12]}")
    for place, version in enumerate(versions):
        founds[version.name] = [result.versions[place].found for result in results]
    return _together(lives, sums, results, founds, np.array(readings_of, np.int64))


def _simulated(lives: Lives, seed: int, folder: Path) -> Cohort:
    said = load_scenario(lives.scenario).changed(
        patients=lives.patients, days=lives.days, seed=seed, vary=dict(lives.vary)
    )
    return write_cohort(Scenario.of(said, first_programmes()), folder)


def _backtested(cohort: Cohort, versions: Sequence[Version]) -> Backtest:
    given, labels = of_folder(Given(cohort.folder))
    quiet = Progress(quiet=True)
    with Threads(2) as workers:
        result = run(OfFiles(given, versions, quiet), Tries(versions), workers, quiet)
    return replace(result, labels=read_labels(labels).labels if labels else [])


def _together(
    lives: Lives,
    sums: Sequence[Sum],
    results: Sequence[Backtest],
    founds: Mapping[str, Sequence[Found]],
    readings_of: NDArray[np.int64],
) -> Trial:
    followed = [result.followed for result in results]
    firsts = list(np.cumsum([0, *(len(one.patients) for one in followed)]))
    everybody = Followed(
        [name for one in followed for name in one.patients],
        *(
            np.concatenate([getattr(one, of) for one in followed])
            for of in ("from_us", "until_us", "readings")
        ),
    )
    held = [result.held for result in results]
    labels = list(_labels(results))
    return Trial(
        lives=lives,
        cohorts=sums,
        followed=everybody,
        held=Held(
            _moved([one.patient for one in held], firsts),
            *(
                np.concatenate([getattr(one, of) for one in held])
                for of in ("admission", "from_us", "until_us")
            ),
        ),
        events=events_of(labels, everybody),
        found={name: _joined(parts, firsts) for name, parts in founds.items()},
        readings_of=readings_of,
    )


def _labels(results: Sequence[Backtest]) -> Iterator[Label]:
    for result in results:
        yield from result.labels or ()


def _joined(parts: Sequence[Found], firsts: Sequence[int]) -> Found:
    columns = ("rule", "severity", "opened_at_us", "cleared_at_us", "quiet")
    return Found(
        parts[0].rules,
        _moved([part.patient for part in parts], firsts),
        *(np.concatenate([getattr(part, of) for part in parts]) for of in columns),
    )


def _moved(parts: Sequence[NDArray[np.int32]], firsts: Sequence[int]) -> NDArray[np.int32]:
    """Places among the patients of each cohort become places among all."""
    return np.concatenate([part + first for part, first in zip(parts, firsts, strict=False)]).astype(np.int32)

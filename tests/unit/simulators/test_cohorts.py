"""A cohort's files: `evaluate` finds in them what is in the log; the same arguments, the same bytes."""

import json
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from alerting.backtest.files import Given, of_folder
from alerting.offline.arrow import parquet
from alerting.offline.run import Wishes, evaluate
from models.clock import HOUR_US
from models.errors import BadInput
from models.labels import About, label_lines
from simulators.cohorts.cohort import Cohort, read_cohort, write_cohort, write_to
from simulators.cohorts.destination import Destination
from simulators.cohorts.readings import GROUP_ROWS, SCHEMA
from simulators.scenarios.description import Description, People
from simulators.scenarios.files import load_scenario, load_text, packaged
from simulators.scenarios.scenario import Scenario
from simulators.wire import Encoder
from tests import shipped
from tests.exported_log import evaluated_log

PROGRAMMES = {programme.programme: programme for programme in shipped.programmes()}
EVERYBODY = """
about = "All conditions, all troubles, two years of events in three weeks."
patients = 40
days = 22
start = 2026-03-16
seed = 3
deteriorations = 6.0

[conditions]
heart_failure = 0.3
hypertension = 0.2
copd = 0.15
diabetes = 0.15
frail_elderly = 0.1
hospital_at_home = 0.05
hypertension_uncontrolled = 0.05

[comorbidity]
"heart_failure+copd" = 0.4
"diabetes+hypertension" = 0.5

[people]
lapses_per_year = 3.0
journeys_per_year = 4.0
leaves_per_year = 1.0

[trouble]
times = 6.0

[[outage]]
vendor = "vendor-b"
day = 5
at = 06:00:00
hours = 3

[[event]]
kind = "salt_feast"
day = 8
condition = "heart_failure"
effect = { body_weight = [4.0, 6.0] }
rise_days = [0.5, 1.0]
signals = ["fluid"]
"""


def described(**changes: Any) -> Description:
    return load_text(EVERYBODY, "everybody.toml").changed(**changes)


def made(**changes: Any) -> Scenario:
    return Scenario.of(described(**changes), PROGRAMMES)


@pytest.fixture(scope="module")
def cohort(tmp_path_factory: pytest.TempPathFactory) -> Cohort:
    return write_cohort(made(), tmp_path_factory.mktemp("cohorts") / "everybody")


def findings(cohort: Cohort, until_us: int) -> bytes:
    out = cohort.folder / "findings.ndjson"
    wishes = Wishes(
        shipped.programmes(), cohort.readings_file, out, cohort.registrations_file,
        until_us=until_us, skip=True, threads=2,
    )  # fmt: skip
    done = evaluate(wishes, print)
    assert done.refused > 0
    assert done.duplicates > 0
    return out.read_bytes()


def test_evaluate_finds_in_the_files_what_is_in_the_log(cohort: Cohort, tmp_path: Path) -> None:
    """What was not measured and remarks are in the log alone: no rule asks for them."""
    lived = made()
    encoder, log = Encoder(lived, HOUR_US), list[Mapping[str, Any]]()
    for day in lived:
        for message in encoder.day(day):
            try:
                log.append(json.loads(message.value))
            except ValueError:
                continue  # torn on the way: of such an upload nothing counts
    kept, found = evaluated_log(log, shipped.programmes(), tmp_path, lived.end_us)
    assert len(kept) == len(log)
    assert findings(cohort, lived.end_us) == (tmp_path / "findings.ndjson").read_bytes()
    assert len(found) > 100
    by_name = {one.programme for one in shipped.programmes()}
    assert {finding.rule.partition("/")[0] for finding in found} == by_name
    assert cohort.labels_file.read_text().splitlines() == label_lines(lived.labels())


def test_the_same_arguments_give_the_same_cohort(cohort: Cohort, tmp_path: Path) -> None:
    again = write_cohort(made(), tmp_path / "again")
    assert again.digest == cohort.digest
    for name in ("readings_file", "registrations_file", "labels_file"):
        assert getattr(again, name).read_bytes() == getattr(cohort, name).read_bytes()
    assert (again.folder / "cohort.toml").read_text() == (cohort.folder / "cohort.toml").read_text()
    other = write_cohort(made(seed=4), tmp_path / "other")
    assert other.digest != cohort.digest


def test_a_cohort_says_how_it_is_made_again(cohort: Cohort, tmp_path: Path) -> None:
    """Whatever was given beside the file is in there too."""
    first = write_cohort(made(days=9, vary={"effects": 1.3}, people=People(late=0.5)), tmp_path / "first")
    said = load_scenario(str(first.folder / "scenario.toml"))
    assert said.name == "everybody"
    again = write_cohort(Scenario.of(said, PROGRAMMES), tmp_path / "again")
    assert again.digest == first.digest != cohort.digest
    for name in packaged():
        lived = Scenario.of(load_scenario(name).changed(patients=3, days=2), PROGRAMMES)
        assert load_text("\n".join(lived.said.lines()), name) == lived.said


def test_a_shorter_cohort_is_made_again_with_the_same_events(tmp_path: Path) -> None:
    """What lies beyond the last day is not in its file; by whom the others are had does not depend on it."""
    said = load_text(
        """
about = "One too late, one for nobody, one for some."
days = 20
patients = 40
[[event]]
kind = "too_late"
day = 15
effect = { body_weight = 1.0 }
[[event]]
kind = "for_nobody"
day = 2
patients = [35]
effect = { body_weight = 1.0 }
[[event]]
kind = "for_some"
day = 3
share = 0.4
effect = { body_weight = 2.0 }
""",
        "some.toml",
    ).changed(days=6, patients=30)
    first = write_cohort(Scenario.of(said, PROGRAMMES), tmp_path / "first")
    assert "for_some" in first.labels_file.read_text()
    again = load_scenario(str(first.folder / "scenario.toml"))
    assert write_cohort(Scenario.of(again, PROGRAMMES), tmp_path / "again").digest == first.digest


def test_rows_come_as_they_arrive(cohort: Cohort) -> None:
    rows = parquet.read_table(cohort.readings_file)
    assert rows.schema.names == SCHEMA.names
    assert rows.num_rows == cohort.readings
    received_us = rows["received_at"].cast("int64").to_numpy()
    assert (np.diff(received_us) >= 0).all()


def test_a_long_cohort_is_written_in_parts_as_it_comes(tmp_path: Path) -> None:
    """Days are put aside until they are worth a row group: memory does not grow with their number."""
    said = load_scenario("hospital_at_home").changed(days=18)
    written = write_cohort(Scenario.of(said, PROGRAMMES), tmp_path / "ward")
    file = parquet.ParquetFile(written.readings_file).metadata
    rows = [file.row_group(number).num_rows for number in range(file.num_row_groups)]
    assert sum(rows) == written.readings
    assert len(rows) > 1
    a_day = 2 * written.readings / said.days
    assert all(GROUP_ROWS <= number < GROUP_ROWS + a_day for number in rows[:-1])


def test_what_varies_a_little_is_another_cohort(tmp_path: Path) -> None:
    digests = {
        write_cohort(made(days=6, vary=vary), tmp_path / str(number)).digest
        for number, vary in enumerate(({}, {"effects": 1.3}, {"noise": 0.7}, {"effects": 1.3, "noise": 0.7}))
    }
    assert len(digests) == 4


def test_a_cohort_is_only_read_as_it_was_written(tmp_path: Path) -> None:
    written = write_cohort(made(days=3), tmp_path / "small")
    assert read_cohort(written.folder) == written
    with written.labels_file.open("a") as labels:
        labels.write("\n")
    with pytest.raises(BadInput, match=r"small/labels.ndjson: expected sha256 "):
        read_cohort(written.folder)
    written.readings_file.unlink()
    with pytest.raises(BadInput, match=r"small/readings.parquet: expected sha256 .*, found no file"):
        read_cohort(written.folder)
    (written.folder / "cohort.toml").write_text("schema = 2\n")
    with pytest.raises(BadInput, match=r"small/cohort.toml: expected schema 1, found 2"):
        read_cohort(written.folder)
    with pytest.raises(BadInput, match=r"cohort.toml: expected a cohort"):
        read_cohort(tmp_path)


def test_a_backtest_takes_no_cohort_that_was_changed(cohort: Cohort, tmp_path: Path) -> None:
    """Labels of another run would make every figure wrong, and nobody would see it."""
    folder = tmp_path / "cohort"
    shutil.copytree(cohort.folder, folder)
    files, labels = of_folder(Given(folder))
    assert (files.readings, labels) == (folder / "readings.parquet", folder / "labels.ndjson")
    mine = Given(folder, registrations=tmp_path / "mine.ndjson")
    (folder / "registrations.ndjson").unlink()
    with pytest.raises(BadInput, match=r"cohort/registrations\.ndjson: expected sha256 .*, found no file"):
        of_folder(Given(folder))
    assert of_folder(mine)[0].registrations == mine.registrations
    (folder / "labels.ndjson").write_text("")
    with pytest.raises(BadInput, match=r"cohort/labels\.ndjson: expected sha256 .*, as cohort\.toml says"):
        of_folder(mine)


def test_readings_alone_with_what_else_is_wished_for(cohort: Cohort, tmp_path: Path) -> None:
    names = ("readings.parquet", "who.ndjson", "labels.ndjson")
    readings, registrations, labels = (tmp_path / name for name in names)
    destination = Destination.of(str(readings), registrations, labels)
    assert destination is not None
    found = write_to(made(), destination)
    assert found.digest == cohort.digest
    assert readings.read_bytes() == cohort.readings_file.read_bytes()
    assert registrations.read_bytes() == cohort.registrations_file.read_bytes()
    assert labels.read_bytes() == cohort.labels_file.read_bytes()
    alone = Destination.of(str(tmp_path / "alone.parquet"), None, None)
    assert alone is not None
    assert write_to(made(), alone).digest == cohort.digest


@pytest.mark.parametrize(
    ("out", "registrations", "labels", "where"),
    [
        ("cohort/", "who.ndjson", None, "--registrations"),
        ("cohort/", None, "labels.ndjson", "--labels"),
        ("log.ndjson", "who.ndjson", None, "--registrations"),
        ("kafka", "who.ndjson", None, "--registrations"),
    ],
)
def test_files_that_would_be_there_twice_or_in_no_place_are_refused(
    out: str, registrations: str | None, labels: str | None, where: str
) -> None:
    with pytest.raises(BadInput) as refused:
        Destination.of(
            out,
            None if registrations is None else Path(registrations),
            None if labels is None else Path(labels),
        )
    assert refused.value.where == where


def test_what_a_file_plants_shows_in_readings_and_labels() -> None:
    """Known and own events, in patients that are named or chosen, from the moment that the file says."""
    text = """
about = "A feast."
patients = 30
days = 14
deteriorations = 0.0
conditions = { heart_failure = 1.0 }
trouble = { times = 0.0 }
people = { fading = 0.0, lapses_per_year = 0.0, journeys_per_year = 0.0, leaves_per_year = 0.0 }

[[event]]
kind = "salt_feast"
day = 5
at = 18:00:00
patients = [2, 4]
effect = { body_weight = 5.0 }
rise_days = 0.25
hold_days = 3
signals = ["fluid"]
about = "person"

[[event]]
kind = "fast_rhythm"
day = 9
share = 0.5
"""
    lived = Scenario.of(load_text(text, "feast.toml"), PROGRAMMES)
    weights: dict[int, list[tuple[int, float]]] = {2: [], 4: [], 5: []}
    for day in lived:
        lines = day.uploads.lines
        for patient in weights:
            mine = (lines.patient == patient) & (lines.kind == 0)
            weights[patient] += zip(lines.taken_at_us[mine].tolist(), lines.value[mine].tolist(), strict=True)
    feasts = [label for label in lived.labels() if label.kind == "salt_feast"]
    assert [lived.patient_texts.index(label.patient_id) for label in feasts] == [2, 4]
    for label in feasts:
        assert label.about is About.PERSON
        assert label.signals == ("fluid",)
        assert (label.onset_us - lived.begin_us) / HOUR_US == 5 * 24 + 18
        assert label.detectable_at_us is not None
        told = weights[lived.patient_texts.index(label.patient_id)]
        before = [value for at_us, value in told if at_us < label.onset_us]
        during = [value for at_us, value in told if label.worst_us <= at_us < label.worst_us + 48 * HOUR_US]
        if before and during:
            assert max(during) > max(before) + 2
    rhythms = [label for label in lived.labels() if label.kind == "fast_rhythm"]
    assert 8 <= len(rhythms) <= 22
    assert {label.about for label in rhythms} == {About.PATIENT}
    assert len(feasts) + len(rhythms) == len(lived.labels())

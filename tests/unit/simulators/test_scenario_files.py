"""Scenario files: those that come with Thuiswacht are right, and of wrong ones everything is told at once."""

import re
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.yaml_files import BadFile
from models.errors import BadInput
from models.labels import About
from simulators.devices.trouble import NO_TROUBLE, Rates
from simulators.scenarios.description import Description, OutageAt, People, PlantedEvent, Region
from simulators.scenarios.files import PACKAGED, load_scenario, load_text, names, packaged
from simulators.scenarios.scenario import mix_of, patients_of
from simulators.scenarios.toml_files import line_of

SOUND = """\
about = "Somebody."
patients = 10
days = 20
"""


def told(text: str) -> list[str]:
    """What is said of a wrong file, line by line."""
    with pytest.raises(BadFile) as refused:
        load_text(text, "mine.toml")
    return str(refused.value).splitlines()


def test_those_that_come_with_thuiswacht_are_right() -> None:
    scenarios = packaged()
    assert list(scenarios) == names()
    assert names()[0] == "home"
    wanted = {
        "home", "region", "heart_failure", "hypertension_fixed", "copd", "diabetes", "frail",
        "hospital_at_home", "storm", "quiet",
    }  # fmt: skip
    assert wanted <= set(scenarios)
    for name, said in scenarios.items():
        assert said.name == name
        assert sum(mix_of(said).shares.values()) > 0
        assert patients_of(said) > 0
    assert scenarios["quiet"].rates == NO_TROUBLE
    assert scenarios["home"].rates == Rates()


def test_a_scenario_is_known_by_name_or_by_its_file(tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(SOUND)
    assert load_scenario(str(mine)).patients == 10
    assert load_scenario(str(mine)).name == "mine"
    with pytest.raises(BadInput, match=r"expected a file, or one of home, .*, found nobody"):
        load_scenario("nobody")


def test_what_is_given_goes_before_what_the_file_says() -> None:
    said = load_text(SOUND + "[trouble]\nlate = 0.5\n", "mine.toml")
    changed = said.changed(("duplicate=0.25",), patients=3, days=None, seed=9)
    assert (changed.patients, changed.days, changed.seed) == (3, 20, 9)
    assert (changed.rates.late, changed.rates.duplicate) == (0.5, 0.25)
    assert changed.rates.remark == Rates().remark


def test_everything_that_is_wrong_is_told_each_with_its_line() -> None:
    text = """\
about = "Wrong."
days = 0
patients = "many"
colour = "blue"

[people]
fading = 1.5
answers_in_time = 0.7

[[event]]
kind = "Salt Feast"
day = 3
effect = {
  body_weight = "heavy" }
""".replace("{\n  ", "{ ")
    lines = told(text)
    places = [re.match(r"mine\.toml, line (\d+), (\S+): expected .+, found .+", line) for line in lines]
    assert {(place[1], place[2].split(".")[-1]) for place in places if place} == {
        ("2", "days"), ("3", "patients"), ("4", "colour"), ("7", "fading"), ("11", "kind"),
        ("13", "body_weight"),
    }  # fmt: skip
    assert all(places)


def test_a_wrong_name_does_not_wait_for_a_wrong_number() -> None:
    text = (
        SOUND.replace("20", "0")
        + """\
[trouble]
lateness = 0.1

[[event]]
kind = "dinner"
day = 3
condition = "gout"
effect = { weight = 2.0 }
"""
    )
    wrong = [line.split(":")[0] for line in told(text)]
    assert wrong == [
        "mine.toml, line 3, days",
        "mine.toml, line 5, trouble.lateness",
        "mine.toml, line 10, event.0.condition",
        "mine.toml, line 11, event.0.effect.weight",
    ]


def test_a_start_that_is_given_is_looked_at_as_well() -> None:
    said = load_text(SOUND, "mine.toml")
    with pytest.raises(BadInput, match="start: expected a day from 2000-01-01 to 2100-01-01, found 0001"):
        said.changed(start=date(1, 1, 1))


FIVE = "patients = 5\n"
BOTH = """effect = { spo2 = -3 }
[[event]]
kind = "cold"
day = 5
about = "person"
effect = { spo2 = -1 }"""
KNOWN = f'{FIVE}[[event]]\nkind = "fluid_overload"\nday = 4\n'
OWN = f'{FIVE}[[event]]\nkind = "cold"\nday = 4\n'
OUTAGE = f'{FIVE}[[outage]]\nvendor = "x"\nday = 1\nat = 10:00:00\nhours = 1'

WRONG_TOGETHER = (
    ("days = 5", "line 1, patients: expected patients, or region and its scale, found neither"),
    ("region = { scale = 0.5 }\nconditions = { copd = 1.0 }", "line 3, conditions: expected no such field"),
    (f"{FIVE}[conditions]\ngout = 1.0", "line 4, conditions.gout: expected one of heart_failure, "),
    (f"{FIVE}[conditions]\ncopd = 0.5", "line 3, conditions: expected shares that come to 1, found 0.5"),
    (f'{FIVE}[comorbidity]\n"copd+copd" = 0.5', 'comorbidity.copd+copd: expected "first+second"'),
    (f"{FIVE}[people]\nanswers_in_time = 0.9\nanswers_late = 0.5", "line 3, people: expected answers"),
    (f"{FIVE}[trouble]\nlateness = 0.1", "line 4, trouble.lateness: expected one of times, "),
    (f"{FIVE}[trouble]\ntimes = 3.0\nlate = 3.0", "line 5, trouble.late: expected a share from 0 to 1"),
    (f"{FIVE}[vary]\nmood = 1.3", "line 4, vary.mood: expected one of rates, effects, "),
    (OUTAGE, "line 4, outage.0.vendor: expected one of vendor-a, "),
    (OWN, "line 4, event.0.kind: expected an effect, or one of the events that are known: "),
    (KNOWN.replace("4", "40"), "line 5, event.0.day: expected a day of the scenario, 0 to 29, found 40"),
    (f"{KNOWN}early = 0.5", "line 6, event.0.early: expected an effect beside it"),
    (f"{KNOWN}effect = {{ spo2 = -3 }}", "line 4, event.0.kind: expected a name of its own"),
    (f"{OWN}effect = {{ mood = 1 }}", "line 6, event.0.effect.mood: expected one of body_weight, "),
    (f"{OWN}effect = {{ spo2 = [-1, -3] }}", "event.0.effect.spo2: expected a number, or from and to"),
    (f"{KNOWN}patients = [7]", "line 6, event.0.patients: expected patients from 0 to 4, found 7"),
    (f'{KNOWN}condition = "gout"', "line 6, event.0.condition: expected one of heart_failure, "),
    (f"{KNOWN}patients = [1]\nshare = 0.5", "line 7, event.0.share: expected no such field beside patients"),
    (f"{KNOWN}patients = [3, 3]", "line 6, event.0.patients: expected each patient once, found 3, 3"),
    (f"{KNOWN}patients = []", "line 6, event.0.patients: expected List should have at least 1 item"),
    (
        f"{OWN}{BOTH}",
        "line 10, event.1.about: expected patient, as for the other events of this kind, found person",
    ),
    (f"{FIVE}start = 0001-01-01", "line 3, start: expected greater than or equal to 2000-01-01, found 0001"),
    (f"{FIVE}start = 9999-12-30", "line 3, start: expected less than or equal to 2100-01-01, found 9999"),
)


@pytest.mark.parametrize(("text", "expected"), WRONG_TOGETHER)
def test_what_is_only_wrong_together_is_told(text: str, expected: str) -> None:
    (line,) = told(f'about = "Wrong."\n{text}\n')
    assert expected in line
    assert ", found " in line


def test_what_is_no_toml_is_told_with_its_line() -> None:
    assert told(SOUND + "seed = \n") == ["mine.toml, line 4: expected TOML, found Invalid value"]
    assert told('about = "open\n')[0].startswith("mine.toml, line 1: expected TOML, found ")


def test_an_event_of_ones_own() -> None:
    said = load_text(
        SOUND
        + """
[[event]]
kind = "salt_feast"
day = 5
at = 18:30:00
condition = "heart_failure"
share = 0.5
effect = { body_weight = [1.0, 4.0], symptom_oedema = 2 }
rise_days = 1
signals = ["fluid"]
about = "person"
""",
        "mine.toml",
    )
    (event,) = said.event
    assert event.effect == {"body_weight": (1.0, 4.0), "symptom_oedema": (2.0, 2.0)}
    assert event.about is About.PERSON


VALUES = st.sampled_from(
    ["1", '"a # [b]"', "[1,\n 2, # two\n]", '"""\nx = 1\n[y]\n"""', "{ a = 1 }", "12:00:00"]
)
KEYS = st.lists(st.sampled_from("abcdefgh"), unique=True, min_size=1, max_size=4)


@given(st.lists(st.tuples(st.booleans(), KEYS, st.integers(0, 2)), max_size=4), KEYS, st.data())
def test_lines_are_those_at_which_fields_were_written(
    tables: list[tuple[bool, list[str], int]], top: list[str], data: st.DataObject
) -> None:
    """The twin writes a file and remembers where it wrote what."""
    lines: list[str] = []
    written: dict[tuple[str, ...], int] = {}

    def write(path: tuple[str, ...], text: str) -> None:
        written[path] = len(lines) + 1
        lines.extend(text.split("\n"))

    for key in top:
        write((key,), f"{key} = {data.draw(VALUES)}")
    items = 0
    for number, (listed, keys, empty) in enumerate(tables):
        lines.extend(["", "# a comment"][:empty])
        head: tuple[str, ...] = ("items", str(items)) if listed else (f"table{number}",)
        items += listed
        write(head, "[[items]]" if listed else f"[table{number}]")
        for key in keys:
            write((*head, key), f"{key} = {data.draw(VALUES)}")
    text = "\n".join(lines) + "\n"
    for path, line in written.items():
        assert line_of(text, path) == line, (text, path)
        assert line_of(text, (*path, "missing", "field")) == line


def test_the_folders_readme_names_every_field() -> None:
    text = (PACKAGED / "README.md").read_text("utf-8")
    for model in (Description, Region, People, OutageAt, PlantedEvent):
        for field in model.model_fields:
            assert re.search(rf"\b{field}\b", text), field

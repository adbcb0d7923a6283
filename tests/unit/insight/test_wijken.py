"""Wijken by municipality: the file that comes with us, and what is wrong with others."""

import pytest

from alerting.insight.wijken import load_wijken, municipality_of, wijken_of
from alerting.yaml_files import BadFile


def test_every_simulated_wijk_lies_in_one_of_five_municipalities() -> None:
    wijken = load_wijken()
    assert {municipality_of(f"Wijk-{number:02}", wijken) for number in range(1, 79)} == {
        "Den Haag", "Zoetermeer", "Leidschendam-Voorburg", "Rijswijk", "Wassenaar",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("municipalities: {A: [x]}", "source"),
        ("source: s\nmunicipalities: {A: [x], B: [X]}", "X again"),
        ("source: s\nmunicipalities: {A: []}", "municipalities.A"),
        ("- x", "wijken by municipality"),
    ],
)
def test_a_wrong_file_says_what_is_wrong(text: str, said: str) -> None:
    with pytest.raises(BadFile, match=said):
        wijken_of(text, "w.yaml")

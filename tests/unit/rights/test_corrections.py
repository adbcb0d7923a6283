"""A correction is a sound upload of a higher revision, or a void of what counts; else it is refused."""

import json
from uuid import UUID

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.rights.corrections import Identity, Revision, Wanted, correct
from models.clock import DAY_US
from models.errors import BadInput

NOW_US = 1_795_332_680_000_000
WHO, WHERE, UPLOAD = UUID(int=1, version=4), UUID(int=2, version=4), UUID(int=3, version=4)
WEIGHT = Identity(WHO, "body_weight", NOW_US - DAY_US, "scale-1")

revisions = st.lists(st.builds(Revision, st.integers(0, 9), st.booleans()), min_size=1, max_size=8)


@settings(deadline=None)
@given(revisions, st.sampled_from([70.0, 81.4, None]))
def test_what_goes_to_the_log_counts_before_all_that_is_stored(
    stored: list[Revision], value: float | None
) -> None:
    wanted = Wanted(value, None if value is None else "kg")
    highest = max(one.revision for one in stored)
    gone = Revision(highest, is_void=True) in stored
    if wanted.is_void and gone:
        with pytest.raises(BadInput, match="taken back"):
            correct(WEIGHT, stored, wanted, UPLOAD, WHERE, NOW_US)
        return
    made = correct(WEIGHT, stored, wanted, UPLOAD, WHERE, NOW_US)
    (reading,) = json.loads(made.message)["readings"]
    assert reading["revision"] == (highest if wanted.is_void else highest + 1)
    assert reading.get("value") == value
    assert reading.get("void", False) == wanted.is_void


def test_older_than_seven_days_is_said_to_be_late_and_older_than_the_log_takes_is_refused() -> None:
    def made(days: int) -> bool:
        identity = Identity(WHO, "body_weight", NOW_US - days * DAY_US, "scale-1")
        stored = [Revision(0, is_void=False)]
        return correct(identity, stored, Wanted(70.0, "kg"), UPLOAD, WHERE, NOW_US).is_too_late

    assert (made(6), made(8)) == (False, True)
    with pytest.raises(BadInput, match="400 days"):
        made(401)


@pytest.mark.parametrize(
    ("wanted", "where"),
    [
        (Wanted(5.0, "kg"), "value"),
        (Wanted(0.0, "kg"), "value"),
        (Wanted(70.0, "shoes"), "unit"),
        (Wanted(code="severe"), "code"),
        (Wanted(float("nan"), "kg"), "value"),
    ],
)
def test_what_no_upload_may_be_no_correction_may_be(wanted: Wanted, where: str) -> None:
    with pytest.raises(BadInput) as refused:
        correct(WEIGHT, [Revision(0, is_void=False)], wanted, UPLOAD, WHERE, NOW_US)
    assert where in refused.value.where
    assert "70" not in str(refused.value)

"""What Observations of one Bundle share is read once; each still says what it says by itself."""

from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from ingest.delivery.fhir.bundle import Bundle, read_bundle
from ingest.delivery.fhir.frames import key_of
from ingest.delivery.fhir.observation import Mapped, holds_no_reading, map_observation
from ingest.delivery.fhir.plan import Planned, plan
from ingest.delivery.fhir.responses import Response
from ingest.delivery.strict import Unusable
from tests.unit.delivery.fhir.samples import LOINC, observation, quantity
from tests.unit.delivery.fhir.test_any_json import observations

TEST_REASON = "http://terminology.hl7.org/CodeSystem/v3-ActReason"
CODING = {"system": LOINC, "code": "29463-7"}
CHANGES: list[dict[str, Any]] = [
    {},
    {"code": {"coding": [CODING | {"userSelected": True}]}},
    {"code": {"coding": [CODING | {"userSelected": 1}]}},
    {"code": {"coding": [CODING | {"code": True}]}},
    {"code": {"coding": [CODING | {"code": 1}]}},
    {"device": {"identifier": {"value": "another"}}},
    {"device": {"identifier": {"value": 1}}},
    {"status": "amended", "meta": {"versionId": "3"}},
    {"status": "amended", "meta": {"versionId": "4"}},
    {
        "meta": {
            "security": [{"system": "http://terminology.hl7.org/CodeSystem/v3-ActReason", "code": "HTEST"}]
        }
    },
    {"subject": None},
    {"focus": []},
    {"misspelt": 1},
    {"effectiveDateTime": None, "effectiveInstant": "2026-11-22T08:31:20Z"},
    {"valueQuantity": quantity(180, "[lb_av]")},
    {"valueQuantity": None, "dataAbsentReason": {"text": "error"}},
]
several = st.lists(
    st.one_of(observations(), st.sampled_from(CHANGES).map(lambda changed: observation(**changed))),
    min_size=1,
    max_size=12,
)


@given(several, st.booleans())
def test_beside_others_each_says_what_it_says_alone(resources: list[dict[str, Any]], trial: bool) -> None:
    for number, resource in enumerate(resources):
        if "effectiveDateTime" in resource:
            # Of one reading a bundle has one value: another rule, with tests of its own.
            resource["effectiveDateTime"] = f"2026-11-22T08:31:{number:02}+01:00"
    entries = [{"resource": one, "request": {"method": "POST", "url": "Observation"}} for one in resources]
    bundle = read_bundle({"resourceType": "Bundle", "type": "batch", "entry": entries})
    assert isinstance(bundle, Bundle)
    for number, step in enumerate(plan(bundle.entries, is_bundle=True, is_trial=trial)):
        where = f"Bundle.entry[{number}].resource"
        alone = map_observation(resources[number], where=where, trial=trial)
        match step:
            case Planned(mapped=together):
                assert together == alone
            case Response(status=409):
                assert isinstance(alone, Mapped), "the same reading as an earlier one"
            case Response(faults=()):
                assert holds_no_reading(resources[number])
            case _:
                assert isinstance(step, Response)
                assert step.faults == alone


def test_what_cannot_be_compared_has_no_key() -> None:
    assert key_of({"code": Unusable("a finite number", "NaN")}) is None
    assert key_of({"code": True}) != key_of({"code": 1})
    assert key_of({"code": 1}) != key_of({"code": 1.0})
    assert key_of(observation(valueQuantity=quantity(1, "kg"))) == key_of(observation())

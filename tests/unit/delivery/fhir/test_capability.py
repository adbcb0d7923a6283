"""The CapabilityStatement is valid FHIR R4 and says what the table says."""

from fhir.resources.R4B.capabilitystatement import CapabilityStatement

from ingest.delivery.fhir.capability import RESOURCES, statement


def test_it_is_valid_and_complete() -> None:
    made = statement("https://gate.example/fhir", "1.2.3")
    CapabilityStatement.model_validate(made | {"fhirVersion": "4.3.0"})
    assert made["fhirVersion"] == "4.0.1"
    (rest,) = made["rest"]
    assert {one["type"]: {each["code"] for each in one["interaction"]} for one in rest["resource"]} == {
        one.type: {str(each) for each in one.interactions} for one in RESOURCES
    }
    assert {one["code"] for one in rest["interaction"]} == {"batch", "transaction"}

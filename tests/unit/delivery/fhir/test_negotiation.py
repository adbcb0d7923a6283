"""Formats: JSON of FHIR 4.0, and words that say so."""

import pytest

from ingest.delivery.fhir.negotiation import Return, read_prefer, refuse_answer_format, refuse_content_type


@pytest.mark.parametrize(
    "content_type",
    [
        "application/fhir+json",
        "application/json",
        "Application/FHIR+JSON; charset=UTF-8; fhirVersion=4.0",
        'application/fhir+json;fhirVersion="4.0.1"',
    ],
)
def test_json_of_version_4_is_taken(content_type: str) -> None:
    assert refuse_content_type(content_type) is None


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        "",
        "application/fhir+xml",
        "text/xml",
        "application/fhir+json; fhirVersion=3.0",
        "application/fhir+json; fhirVersion=5.0",
        "application/json; charset=latin-1",
        "application/json-patch+json",
        "application/x-www-form-urlencoded",
    ],
)
def test_any_other_body_is_not(content_type: str | None) -> None:
    fault = refuse_content_type(content_type)
    assert fault is not None
    assert fault.where == "http.Content-Type"


@pytest.mark.parametrize(
    ("accept", "format_"),
    [
        (None, None),
        ("", None),
        ("*/*", None),
        ("text/html, application/fhir+json;q=0.5", None),
        ("application/fhir+json; fhirVersion=4.0", None),
        ("application/fhir+xml", "json"),
        ("application/fhir+xml", "application/fhir+json"),
        (None, "application/fhir json"),
    ],
)
def test_an_answer_in_json_is_given(accept: str | None, format_: str | None) -> None:
    assert refuse_answer_format(accept, format_) is None


@pytest.mark.parametrize(
    ("accept", "format_", "where"),
    [
        ("application/fhir+xml", None, "http.Accept"),
        ("application/fhir+json;q=0", None, "http.Accept"),
        ("application/fhir+json; fhirVersion=3.0", None, "http.Accept"),
        ("application/fhir+json", "xml", "_format"),
        (None, "ttl", "_format"),
    ],
)
def test_another_answer_is_not(accept: str | None, format_: str | None, where: str) -> None:
    fault = refuse_answer_format(accept, format_)
    assert fault is not None
    assert fault.where == where


@pytest.mark.parametrize(
    ("prefer", "wanted"),
    [
        (None, None),
        ("return=minimal", Return.MINIMAL),
        ("handling=strict, return=representation", Return.REPRESENTATION),
        ("respond-async; return=OperationOutcome", Return.OUTCOME),
        ("return=everything", None),
    ],
)
def test_what_the_answer_should_hold(prefer: str | None, wanted: Return | None) -> None:
    assert read_prefer(prefer) is wanted

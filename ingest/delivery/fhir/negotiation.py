"""What a request says of formats, and of the answer that it wants. Pure.

**Source**: FHIR R4, RESTful API, content types and the Prefer header.
"""

from enum import StrEnum

from ingest.delivery.content import Code, Fault

_JSON = frozenset({"application/fhir+json", "application/json", "text/json", "json"})
_ANY = frozenset({"*/*", "application/*"})
_VERSIONS = frozenset({"4.0", "4.0.0", "4.0.1"})


class Return(StrEnum):
    """What the answer should hold."""

    MINIMAL = "minimal"
    REPRESENTATION = "representation"
    OUTCOME = "OperationOutcome"


def refuse_content_type(content_type: str | None) -> Fault | None:
    """What is wrong with the format that a body is said to have (415)."""
    expected = "application/fhir+json; fhirVersion=4.0"
    if content_type is None:
        return Fault("http.Content-Type", expected, "nothing", Code.NOT_SUPPORTED)
    kind, parameters = _media(content_type)
    good = kind in _JSON and parameters.get("charset", "utf-8").lower() in {"utf-8", "utf8"}
    if good and _is_ours(parameters):
        return None
    return Fault("http.Content-Type", expected, content_type[:80], Code.NOT_SUPPORTED)


def refuse_answer_format(accept: str | None, format_: str | None) -> Fault | None:
    """What is wrong with the formats that the answer may have (406); `_format` goes before `Accept`."""
    if format_ is not None:
        # A plus that was not escaped arrives as a space.
        kind, parameters = _media(format_.replace(" ", "+"))
        if (kind in _JSON or kind in _ANY) and _is_ours(parameters):
            return None
        return Fault("_format", "json", format_[:80], Code.NOT_SUPPORTED)
    if not accept or not accept.strip():
        return None
    for one in accept.split(","):
        kind, parameters = _media(one)
        if (kind in _JSON or kind in _ANY) and _is_ours(parameters) and _is_wanted(parameters):
            return None
    return Fault("http.Accept", "application/fhir+json", accept[:80], Code.NOT_SUPPORTED)


def read_prefer(prefer: str | None) -> Return | None:
    """What the answer should hold; None where that is not said, or not in words that are known."""
    for one in (prefer or "").replace(";", ",").split(","):
        name, _, value = one.partition("=")
        if name.strip().lower() == "return":
            wanted = value.strip().strip('"')
            return next((each for each in Return if each.lower() == wanted.lower()), None)
    return None


def _media(text: str) -> tuple[str, dict[str, str]]:
    kind, *rest = text.split(";")
    parameters = (one.partition("=") for one in rest)
    return kind.strip().lower(), {
        name.strip().lower(): value.strip().strip('"') for name, _, value in parameters
    }


def _is_ours(parameters: dict[str, str]) -> bool:
    return parameters.get("fhirversion", "4.0") in _VERSIONS


def _is_wanted(parameters: dict[str, str]) -> bool:
    try:
        return float(parameters.get("q", "1")) > 0
    except ValueError:
        return True

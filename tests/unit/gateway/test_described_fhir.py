"""What OpenAPI shows as examples is what the gate takes, and what it refers to is there."""

from typing import Any, cast

from ingest.delivery.fhir.bundle import Bundle, Supporting, read_bundle
from ingest.delivery.fhir.capability import READINGS, RESOURCES, Interaction
from ingest.delivery.fhir.interaction import Asked
from ingest.delivery.fhir.plan import Planned, plan
from ingest.delivery.hospital.acts import RESOURCES as TOLD
from ingest.gateway.delivery import described_fhir


def example(request: Any) -> Any:
    return request["requestBody"]["content"]["application/fhir+json"]["example"]


def test_examples_of_readings_are_readings() -> None:
    for type_ in READINGS:
        resource = example(described_fhir.resource(type_, Interaction.CREATE))
        (step,) = plan([Asked(type_, Interaction.CREATE, type_, resource)], is_bundle=False)
        assert isinstance(step, Planned), step


def test_examples_of_changes_are_understood() -> None:
    for type_, read in TOLD.items():
        told = read(
            example(described_fhir.resource(type_, Interaction.UPDATE)), 1_795_400_000_000_000, where=type_
        )
        assert not isinstance(told, tuple), told


def test_the_example_of_a_bundle_is_one() -> None:
    found = read_bundle(example(described_fhir.BUNDLE))
    assert isinstance(found, Bundle)
    assert isinstance(found.entries[0], Supporting)
    assert isinstance(plan(found.entries, is_bundle=True)[1], Planned)


def references(described: object) -> set[str]:
    if isinstance(described, dict):
        known = cast("dict[str, object]", described)
        inside = [references(one) for one in known.values()]
        own = {str(known["$ref"]).rsplit("/", 1)[-1]} if "$ref" in known else set[str]()
        return own.union(*inside)
    if isinstance(described, list):
        return set[str]().union(*(references(one) for one in cast("list[object]", described)))
    return set()


def test_what_is_referred_to_is_there() -> None:
    described: list[Any] = [described_fhir.BUNDLE, described_fhir.BUNDLES, described_fhir.METADATA]
    for one in RESOURCES:
        described += [described_fhir.answers(one.type)]
        described += [described_fhir.resource(one.type, each) for each in one.interactions]
    used = set[str]().union(
        *(references(dict(one)) for one in [*described, *described_fhir.SCHEMAS.values()])
    )
    assert used == set(described_fhir.SCHEMAS)

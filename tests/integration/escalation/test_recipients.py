"""Who a recipient is for a patient: their own practice, who treats them, or the region's."""

from alerting.escalation.recipients import parties
from models.access import Role
from models.db.pool import Pool
from models.escalations import Channel, Party, Recipient
from models.messages import Origin
from models.register import OrganisationKind
from tests.integration.escalation.region import Region


async def test_the_practice_is_the_patients_own(region: Region, dispatch: Pool) -> None:
    own = await region.organisation(OrganisationKind.GP_PRACTICE, "fhir")
    patient, other = await region.patient(huisarts=own), await region.patient()
    async with dispatch.connection() as connection:
        found = await parties(connection, {patient: region.centre, other: region.centre})
    assert found[patient][Recipient.HUISARTS].party == Party(Role.HUISARTS, own)
    assert found[patient][Recipient.HUISARTS].channels == {Channel.FHIR, Channel.WORKLIST}
    assert found[other][Recipient.HUISARTS].party.organisation_id != own


async def test_the_latest_version_of_the_care_counts(region: Region, dispatch: Pool) -> None:
    patient = await region.patient()
    moved_to = await region.organisation(OrganisationKind.GP_PRACTICE, "fhir")
    await region.admin.execute(
        "INSERT INTO patient_care (patient_id, organisation_id, version, huisarts_id) VALUES ($1, $2, 2, $3)",
        patient, region.centre, moved_to,
    )  # fmt: skip
    async with dispatch.connection() as connection:
        found = await parties(connection, {patient: region.centre})
    assert found[patient][Recipient.HUISARTS].party.organisation_id == moved_to


async def test_who_treats_the_patient_goes_before_who_else_there_is(region: Region, dispatch: Pool) -> None:
    team = await region.organisation(OrganisationKind.COMMUNITY_NURSING)
    patient = await region.patient(treated_by=(team,))
    async with dispatch.connection() as connection:
        (found,) = (await parties(connection, {patient: region.centre})).values()
    assert found[Recipient.COMMUNITY_NURSE].party == Party(Role.COMMUNITY_NURSE, team)
    assert found[Recipient.COMMUNITY_NURSE].channels == {Channel.WORKLIST}
    post = region.by_kind[OrganisationKind.OUT_OF_HOURS_POST]
    assert found[Recipient.OUT_OF_HOURS_POST].party == Party(Role.HUISARTS, post)
    assert found[Recipient.NURSE].party == Party(Role.NURSE, region.centre)
    assert set(found) == set(Recipient) - {Recipient.SPECIALIST}


async def test_a_hospital_is_meant_only_where_it_treats_the_patient(region: Region, dispatch: Pool) -> None:
    hospital = region.by_kind[OrganisationKind.HOSPITAL]
    treated, stranger = await region.patient(treated_by=(hospital,)), await region.patient()
    async with dispatch.connection() as connection:
        of = {treated: region.centre, stranger: region.centre}
        found = await parties(connection, of)
        own = await parties(connection, {stranger: hospital})
    assert found[treated][Recipient.SPECIALIST].party == Party(Role.SPECIALIST, hospital)
    assert Recipient.SPECIALIST not in found[stranger], "data go to no hospital that does not know them"
    assert own[stranger][Recipient.SPECIALIST].party == Party(Role.SPECIALIST, hospital)


async def test_of_several_of_a_kind_the_one_in_use_the_longest(region: Region, dispatch: Pool) -> None:
    older = await region.organisation(OrganisationKind.OUT_OF_HOURS_POST)
    await region.address(older, "fhir", days_ago=10)
    await region.organisation(OrganisationKind.OUT_OF_HOURS_POST)
    patient = await region.patient()
    async with dispatch.connection() as connection:
        (found,) = (await parties(connection, {patient: region.centre})).values()
    assert found[Recipient.OUT_OF_HOURS_POST].party.organisation_id == older


async def test_real_and_invented_never_meet(region: Region, dispatch: Pool) -> None:
    patient = await region.patient(origin=Origin.REAL)
    canary = await region.patient(origin=Origin.CANARY)
    practice = await region.organisation(OrganisationKind.GP_PRACTICE, "fhir", origin=Origin.REAL)
    invented = await region.patient(huisarts=practice, treated_by=(practice,))
    async with dispatch.connection() as connection:
        asked = dict.fromkeys((patient, canary, invented), region.centre)
        found = await parties(connection, asked)
    assert set(found[patient]) == {Recipient.NURSE}
    assert set(found[canary]) == {Recipient.NURSE}
    assert Recipient.HUISARTS not in found[invented]

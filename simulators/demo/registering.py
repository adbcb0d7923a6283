"""The demo's patients come in as anybody's do: through the register, by people who are there and may do so.

All of them are included before the first simulated day, from the moment on at which the scenario begins to
follow them. What changes later goes to the log in simulated time, which the register, whose now is a clock on
a wall, would not believe.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID, uuid5

from ingest.acting import Deed, Known, doing
from ingest.register import acts, directory
from ingest.register.forms import InclusionForm, filled_in
from models.access import Action, Role, User
from models.audit import Kind
from models.clock import DAY_US, to_datetime
from models.db import directory as stored
from models.db.directory import Address
from models.db.pool import Pool, connected
from models.identity import Keys
from models.messages import Origin
from models.register import Channel, Organisation, OrganisationKind
from models.settings import Settings
from simulators.demo.picture import Picture
from simulators.devices.display import DEVICE_NAMES
from simulators.receivers.receivers import Receivers
from simulators.scenarios.follow_up import PlannedChange
from simulators.scenarios.scenario import Scenario

SOURCE = "thuiswacht.demo"
AT_ONCE = 500
"""Patients that are included in one unit of work."""
APART_US = 300 * DAY_US
"""And none of them so much later than another that the register would ask what is meant."""
LETTERS_EACH = 4
"""One practice in so many gets letters by secure mail: one takes a hundred times what a webhook takes."""
_SESSION = "demo"
_OTHERS = {
    "Huisartsenpost": OrganisationKind.OUT_OF_HOURS_POST,
    "Wijkverpleging": OrganisationKind.COMMUNITY_NURSING,
    "Verwijspunt": OrganisationKind.REFERRAL_DESK,
    "Coördinatiecentrum acute zorg": OrganisationKind.COORDINATION_CENTRE,
    "Ouderengeneeskunde": OrganisationKind.ELDERLY_CARE,
}
_OLDEST = date(1930, 1, 1)


async def fill_register(
    settings: Settings,
    secret: bytes,
    scenario: Scenario,
    picture: Picture,
    receivers: Receivers | None,
    lent_to: Collection[int] = (),
) -> None:
    """Enters the organisations, where messages to them go, somebody for each hospital, all patients.

    `secret` seals names; without `receivers` nobody has an address. `lent_to`: rows of patients whose devices
    are on loan to them in the register, without which no system could speak for them.
    """
    dsn = settings.postgres_dsn
    async with connected(dsn, role="thuiswacht_people", application="thuiswacht-demo-register") as pool:
        administrator = await directory.begin(
            pool,
            directory.OrganisationForm(
                name="Regionaal monitoringcentrum", kind=OrganisationKind.MONITORING_CENTRE
            ),
            directory.PersonForm(name="Beheerder"),
            _SESSION,
        )
        picture.say(f"the register's administrator: {administrator.person_id}")
        entered = await _enter_organisations(pool, administrator, scenario)
        if receivers is not None:
            await _enter_addresses(pool, administrator, entered, receivers)
        keys = Keys(secret)
        for hospital in sorted(set(scenario.follow_up.organisation)):
            user = await _enter_engineer(pool, administrator, UUID(hospital))
            rows = [row for row, its in enumerate(scenario.follow_up.organisation) if its == hospital]
            for some in together(scenario, rows):
                await _include(pool, keys, user, scenario, some, lent_to)
    picture.say(f"registered {len(scenario.population):,} patients")


async def _enter_organisations(pool: Pool, administrator: User, scenario: Scenario) -> list[Organisation]:
    follow_up = scenario.follow_up
    hospitals = [
        Organisation(UUID(one), f"Ziekenhuis {number}", OrganisationKind.HOSPITAL, Origin.SIMULATED)
        for number, one in enumerate(sorted(set(follow_up.organisation)), 1)
    ]
    practices = [
        Organisation(practice_of(scenario, name), name, OrganisationKind.GP_PRACTICE, Origin.SIMULATED)
        for name in sorted(set(follow_up.huisarts))
    ]
    region = UUID(min(follow_up.organisation))
    others = [
        Organisation(uuid5(region, name), name, kind, Origin.SIMULATED) for name, kind in _OTHERS.items()
    ]
    entered = [*hospitals, *practices, *others]
    deed = Deed(Action.ORGANISATION_CHANGE, Kind.CREATE, SOURCE)
    async with doing(pool, Known(administrator, _SESSION), deed) as act:
        await stored.add_organisations(act.connection, entered)
    return entered


async def _enter_addresses(
    pool: Pool, administrator: User, entered: Sequence[Organisation], receivers: Receivers
) -> None:
    """All can be rung; hospitals' nurses have e-mail, some practices get letters, all others webhooks."""
    addresses: list[Address] = []
    practices = 0
    for number, one in enumerate(entered):
        practices += one.kind is OrganisationKind.GP_PRACTICE
        is_reached_by_letter = one.kind is OrganisationKind.GP_PRACTICE and practices % LETTERS_EACH == 1
        address_id = uuid5(one.organisation_id, "address")
        if one.kind is OrganisationKind.HOSPITAL:
            way = Channel.EMAIL, receivers.mail_address(one.organisation_id)
        elif is_reached_by_letter:
            way = Channel.SECURE_MAIL, receivers.mail_address(one.organisation_id)
        else:
            way = Channel.WEBHOOK, receivers.webhook_address(address_id)
        addresses.append(Address(address_id, one.organisation_id, None, *way))
        phone_id, phone = uuid5(one.organisation_id, "phone"), f"088 000 {number:04}"
        addresses.append(Address(phone_id, one.organisation_id, None, Channel.PHONE, phone))
    deed = Deed(Action.ORGANISATION_CHANGE, Kind.CREATE, SOURCE)
    async with doing(pool, Known(administrator, _SESSION), deed) as act:
        for address in addresses:
            await stored.add_address(act.connection, address)


async def _enter_engineer(pool: Pool, administrator: User, hospital: UUID) -> User:
    """Somebody who may include patients who do not exist, and no others."""
    deed = Deed(Action.PEOPLE_CHANGE, Kind.CREATE, SOURCE)
    async with doing(pool, Known(administrator, _SESSION), deed) as act:
        person_id = await directory.add_person(act, directory.PersonForm(name="Simulatie", is_system=True))
        form = directory.RoleForm(organisation_id=hospital, role=Role.ENGINEER)
        await directory.give_role(act, person_id, form)
    return User(person_id, hospital, Role.ENGINEER)


def together(scenario: Scenario, rows: Sequence[int]) -> Iterator[list[int]]:
    """Who is included at once: so many, and none much later than the first, whose moment is then now."""
    registered_us = scenario.follow_up.registered_us
    some: list[int] = []
    for row in sorted(rows, key=registered_us.__getitem__):
        if some and (len(some) == AT_ONCE or registered_us[row] - registered_us[some[0]] > APART_US):
            yield some
            some = []
        some.append(row)
    if some:
        yield some


async def _include(
    pool: Pool, keys: Keys, user: User, scenario: Scenario, rows: Sequence[int], lent_to: Collection[int]
) -> None:
    """Includes patients at once, their devices lent to those who are in `lent_to`."""
    forms = [
        (UUID(scenario.patient_texts[row]), form_of(scenario, row, lends=row in lent_to)) for row in rows
    ]
    deed = Deed(Action.PATIENT_INCLUDE, Kind.CREATE, SOURCE)
    async with doing(pool, Known(user, _SESSION), deed) as act:
        now_us = int(scenario.follow_up.registered_us[rows[0]])
        await acts.include_patients(act, keys, forms, now_us)


def form_of(scenario: Scenario, row: int, *, lends: bool) -> InclusionForm:
    """What is filled in to include a patient; `lends`: with their devices."""
    registered, *enrolments = scenario.follow_up.registration(row)
    register = registered.content["register"]
    fields = {
        "identity": {
            "family_name": f"Simulant {row}",
            "birth_date": _OLDEST + timedelta(days=row * 37 % 14_000),
            # A made-up number might be somebody's.
            "without_bsn": "does not exist",
        },
        "origin": Origin.SIMULATED,
        "programmes": [_enrolment(enrolment) for enrolment in enrolments],
        "watch_devices": False,
        "devices": _devices(scenario, row) if lends else [],
        "huisarts": practice_of(scenario, register["huisarts"]),
        "wijk": register["wijk"],
        "language": register["language"],
        "starts_at": to_datetime(registered.at_us),
    }
    return filled_in(InclusionForm, fields)


def _devices(scenario: Scenario, row: int) -> list[dict[str, str]]:
    homes = scenario.homes
    return [
        {"device_id": homes.device_text(row, device), "kind": DEVICE_NAMES[device]}
        for device in homes.devices_of(row)
    ]


def _enrolment(planned: PlannedChange) -> dict[str, Any]:
    enrol = planned.content["enrol"]
    limits = {
        name: {"value": limit["value"], "unit": limit["unit"]}
        for name, limit in enrol.get("limits", {}).items()
    }
    return {"programme": enrol["programme"], "version": enrol["version"], "limits": limits}


def practice_of(scenario: Scenario, name: str) -> UUID:
    """The id of a practice: the same for the same seed."""
    return uuid5(UUID(min(scenario.follow_up.organisation)), name)

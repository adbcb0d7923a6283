"""The commands `thuiswacht register …`."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import click

from models.access import Role
from models.register import Channel, OrganisationKind

if TYPE_CHECKING:
    from ingest.register.desk import Desk

PATIENT = click.argument("patient_id", metavar="PATIENT_ID", type=click.UUID)
KINDS = click.Choice([kind.value for kind in OrganisationKind])
ROLES = click.Choice([role.value for role in Role])


@click.group()
@click.option("--postgres", metavar="DSN", help="The database. Default: THUISWACHT_POSTGRES.")
@click.option(
    "--as", "person_id", type=click.UUID, envvar="THUISWACHT_PERSON", help="As whom: a person's id."
)
@click.option("--role", type=ROLES, help="As what, for who is several things.")
@click.option("--organisation", "organisation_id", type=click.UUID, help="Where, for who works at several.")
@click.pass_context
def register(
    context: click.Context,
    postgres: str | None,
    person_id: UUID | None,
    role: str | None,
    organisation_id: UUID | None,
) -> None:
    """Who is followed, by whom, in which programmes; who works here, and as what.

    The first time, in an empty database (after `thuiswacht migrate`):

    \b
      export THUISWACHT_IDENTITY_KEY=$(openssl rand -base64 32)   # keep it: names are sealed with it
      thuiswacht register begin --also coordinator                # prints your id
      thuiswacht register --as ID --role administrator organisation
      thuiswacht register --as ID --role coordinator include      # asks for what it needs
      thuiswacht register publish                                 # a service: tells the log

    Each command is decided on and put on record as the same request to the API would be. Names and national
    numbers are asked for, or read from a file; they are never arguments.
    """  # noqa: D301 (the backspace tells click not to rewrap the lines)
    from ingest.register.desk import Desk

    context.obj = Desk(postgres, person_id, None if role is None else Role(role), organisation_id)


@register.command()
@click.option("--organisation-name", prompt="Name of the first organisation")
@click.option("--kind", type=KINDS, default="monitoring_centre", show_default=True)
@click.option("--name", prompt="Your name (you become its administrator)")
@click.option("--also", type=ROLES, multiple=True, help="Another role of yours there, such as coordinator.")
@click.pass_obj
def begin(desk: Desk, organisation_name: str, kind: str, name: str, also: tuple[str, ...]) -> None:
    """Make the first organisation and its administrator, in a database without people."""
    from dataclasses import replace

    from ingest.on_command import mark
    from ingest.register import directory
    from ingest.register.desk import say
    from models.access import Action
    from models.audit import Kind

    organisation = directory.OrganisationForm(name=organisation_name, kind=OrganisationKind(kind))
    person = directory.PersonForm(name=name)
    first = desk.with_pool(lambda pool: directory.begin(pool, organisation, person, mark()))
    administrator = replace(
        desk, person_id=first.person_id, role=first.role, organisation_id=first.organisation_id
    )
    for role in also:
        form = directory.RoleForm(organisation_id=first.organisation_id, role=Role(role))
        administrator.do(
            Action.PEOPLE_CHANGE,
            Kind.CREATE,
            lambda act, form=form: directory.give_role(act, first.person_id, form),
        )
    roles = [first.role.value, *also]
    say({"person_id": first.person_id, "organisation_id": first.organisation_id, "roles": roles})


@register.command()
@click.option("--programme", "names", multiple=True, help="A programme, once for each. Else it is asked for.")
@click.option("--huisarts", help="Id of the practice. Else it is asked for.")
@click.option("--wijk", help="The neighbourhood.")
@click.option("--language", default="nl", show_default=True, help="Of the patient, two letters.")
@click.option("--device", "devices", multiple=True, help="Id of a device that is handed out.")
@click.option(
    "--form",
    "form_file",
    type=click.Path(allow_dash=True, path_type=Path),
    help="The whole form as JSON, as for POST /patients, from a file or from - (standard input).",
)
@click.pass_obj
def include(
    desk: Desk,
    names: tuple[str, ...],
    huisarts: str | None,
    wijk: str | None,
    language: str,
    devices: tuple[str, ...],
    form_file: Path | None,
) -> None:
    """Include a patient; asks for what is missing.

    Needs the role of a nurse, huisarts, specialist or coordinator. Prints the patient's id, by which devices
    and messages know them from now on.
    """
    from ingest.register import acts, asking
    from ingest.register.desk import say
    from ingest.register.forms import InclusionForm, filled_in
    from models.access import Action
    from models.audit import Kind
    from models.clock import wall_now_us

    keys = desk.keys
    if form_file is None:
        given = desk.do(Action.DIRECTORY_READ, Kind.READ, lambda act: acts.given(act, wall_now_us()))
        fields = {
            "identity": asking.person(),
            "programmes": [{"programme": name} for name in names] or asking.programmes(given),
            "huisarts": huisarts or asking.huisarts(given),
            "wijk": wijk,
            "language": language,
            "devices": [{"device_id": device} for device in devices],
        }
        form = filled_in(InclusionForm, fields)
    else:
        with click.open_file(str(form_file), encoding="utf-8") as file:
            form = filled_in(InclusionForm, file.read())
    included = desk.do(
        Action.PATIENT_INCLUDE,
        Kind.CREATE,
        lambda act: acts.include_patient(act, keys, form, wall_now_us()),
    )
    say({"patient_id": included.patient_id, "version": 1})


@register.command()
@click.pass_obj
def find(desk: Desk) -> None:
    """Find a patient by BSN, or by name and birth date; both are asked for."""
    from ingest.register import acts, asking
    from ingest.register.desk import say
    from ingest.register.forms import SearchForm, filled_in
    from models.access import Action
    from models.audit import Kind

    keys, form = desk.keys, filled_in(SearchForm, asking.wanted())
    say(desk.do(Action.PATIENT_SEARCH, Kind.READ, lambda act: acts.search(act, keys, form)))


@register.command()
@PATIENT
@click.option("--identity", is_flag=True, help="Also who they are: another look, on record as such.")
@click.pass_obj
def show(desk: Desk, patient_id: UUID, identity: bool) -> None:
    """What the register knows of a patient."""
    from ingest.register import acts
    from ingest.register.desk import say
    from models.access import Action
    from models.audit import Kind
    from models.clock import wall_now_us

    shown = desk.do(
        Action.PATIENT_READ, Kind.READ, lambda act: acts.show(act, patient_id, wall_now_us()), patient_id
    )
    if identity:
        keys = desk.keys
        who = desk.do(
            Action.IDENTITY_READ, Kind.READ, lambda act: acts.who_is(act, keys, patient_id), patient_id
        )
        shown |= {"identity": who.model_dump(mode="json")}
    say(shown)


@register.command()
@PATIENT
@click.argument("what", metavar="JSON")
@click.option("--version", type=int, required=True, help="The version that you saw (`show`).")
@click.option("--as-of", help="From when it holds, such as 2026-12-24T09:00:00+01:00. Default: now.")
@click.option("--correction", is_flag=True, help="What is before now is put right.")
@click.pass_obj
def change(
    desk: Desk, patient_id: UUID, what: str, version: int, as_of: str | None, correction: bool
) -> None:
    """Change one thing about a patient. `-` reads the JSON from standard input: for who they are, always.

    \b
      '{"pause": {"until": "2026-12-24T09:00:00+01:00", "reason": "vakantie"}}'   '{"resume": {}}'
      '{"admit": {}}'   '{"discharge": {}}'   '{"end": {"reason": "died"}}'
      '{"enrol": {"programme": "copd"}}'   '{"withdraw": {"programme": "copd"}}'   '{"move": {"programme": "copd"}}'
      '{"limits": {"programme": "heart_failure", "limits": {"systolic_low": 95}}}'
      '{"schedule": {"programme": "heart_failure", "schedule": {"weight": {"before": "11:00", "on": ["mon"]}}}}'
      '{"step_down": {… as schedule …, "review_on": "2027-02-01"}}'
      '{"care": {"huisarts": "ID", "wijk": "…", "treatment_plan": "…", "advance_care": "…"}}'
      '{"hand_out": {"device_id": "scale-4711", "kind": "scale"}}'   '{"take_back": {"device_id": "scale-4711"}}'
      '{"identity": {…}}'
    """  # noqa: D301, E501 (the backspace tells click not to rewrap the lines)
    from ingest.register import acts
    from ingest.register.desk import say
    from ingest.register.forms import ChangeForm, PatientChange, filled_in
    from models.access import Action
    from models.audit import Kind
    from models.clock import wall_now_us

    content = sys.stdin.read() if what == "-" else what
    fields: dict[str, Any] = {"version": version, "correction": correction, "as_of": as_of}
    form = filled_in(ChangeForm, fields | {"change": filled_in(PatientChange, content)})
    if form.change.identity is not None and what != "-":
        raise click.UsageError(
            "Names and numbers are never arguments: others see them. Use - and standard input."
        )
    keys = desk.keys
    new = desk.do(
        Action.PATIENT_CHANGE,
        Kind.UPDATE,
        lambda act: acts.change_patient(act, keys, patient_id, form, wall_now_us()),
        patient_id,
    )
    say({"patient_id": patient_id, "version": new})


@register.command()
@PATIENT
@click.option("--version", type=int, required=True, help="Of the double registration, as you saw it.")
@click.option("--into", type=click.UUID, required=True, help="The registration that stays.")
@click.option("--into-version", type=int, required=True, help="Its version, as you saw it.")
@click.pass_obj
def merge(desk: Desk, patient_id: UUID, version: int, into: UUID, into_version: int) -> None:
    """End a double registration; it points to the one that stays."""
    from ingest.register import acts
    from ingest.register.desk import say
    from ingest.register.forms import MergeForm
    from models.access import Action
    from models.audit import Kind
    from models.clock import wall_now_us

    keys, form = desk.keys, MergeForm(version=version, into=into, into_version=into_version)
    new = desk.do(
        Action.PATIENT_MERGE,
        Kind.UPDATE,
        lambda act: acts.merge_patients(act, keys, patient_id, form, wall_now_us()),
        patient_id,
    )
    say({"patient_id": patient_id, "version": new, "merged_into": into})


@register.command()
@PATIENT
@click.argument("organisation_id", metavar="ORGANISATION_ID", type=click.UUID)
@click.option("--consent", is_flag=True, help="It may look because the patient says so, without treating.")
@click.option("--until", help="Until when, where that is known.")
@click.option("--end", is_flag=True, help="It ends now.")
@click.pass_obj
def relation(
    desk: Desk, patient_id: UUID, organisation_id: UUID, consent: bool, until: str | None, end: bool
) -> None:
    """An organisation begins to treat a patient (or may look, or neither any more)."""
    from ingest.register import acts
    from ingest.register.forms import RelationForm, filled_in
    from models.access import Action
    from models.audit import Kind

    table = acts.CONSENT if consent else acts.TREATMENT
    action = Action.CONSENT_RECORD if consent else Action.RELATION_CHANGE
    form = filled_in(RelationForm, {"organisation_id": organisation_id, "until": until})
    if end:
        desk.do(
            action,
            Kind.UPDATE,
            lambda act: acts.end_relation(act, table, patient_id, organisation_id),
            patient_id,
        )
    else:
        desk.do(
            action, Kind.CREATE, lambda act: acts.begin_relation(act, table, patient_id, form), patient_id
        )


@register.command()
@PATIENT
@click.option("--hours", type=float, default=1.0, show_default=True, help="Eight at most.")
@click.option("--reason", prompt="Why must you look at once")
@click.pass_obj
def emergency(desk: Desk, patient_id: UUID, hours: float, reason: str) -> None:
    """Look at a patient at once, without a relation, for some hours; it is reviewed afterwards."""
    from ingest.register import acts
    from ingest.register.desk import say
    from ingest.register.forms import EmergencyForm, filled_in
    from models.access import Action
    from models.audit import Kind

    form = filled_in(EmergencyForm, {"reason": reason, "hours": hours})
    declared = desk.do(
        Action.EMERGENCY_DECLARE,
        Kind.CREATE,
        lambda act: acts.declare_emergency(act, patient_id, form),
        patient_id,
    )
    say({"emergency_id": declared})


@register.command()
@click.option("--name", prompt=True)
@click.option("--kind", type=KINDS, prompt=True)
@click.pass_obj
def organisation(desk: Desk, name: str, kind: str) -> None:
    """Enter an organisation: a hospital, a practice, a monitoring centre, and so on."""
    from ingest.register import directory
    from ingest.register.desk import say
    from models.access import Action
    from models.audit import Kind

    form = directory.OrganisationForm(name=name, kind=OrganisationKind(kind))
    new = desk.do(Action.ORGANISATION_CHANGE, Kind.CREATE, lambda act: directory.add_organisation(act, form))
    say({"organisation_id": new})


@register.command()
@click.option("--name", prompt=True)
@click.option("--system", is_flag=True, help="Not somebody, but a system that acts by itself.")
@click.pass_obj
def person(desk: Desk, name: str, system: bool) -> None:
    """Enter somebody who is to work with the service; `role` says as what."""
    from ingest.register import directory
    from ingest.register.desk import say
    from models.access import Action
    from models.audit import Kind

    form = directory.PersonForm(name=name, is_system=system)
    say(
        {"person_id": desk.do(Action.PEOPLE_CHANGE, Kind.CREATE, lambda act: directory.add_person(act, form))}
    )


@register.command()
@click.argument("person_id", metavar="PERSON_ID", type=click.UUID)
@click.argument("role_name", metavar="ROLE", type=ROLES)
@click.argument("at", metavar="ORGANISATION_ID", type=click.UUID)
@click.option("--until", help="Until when, where that is known.")
@click.option("--end", is_flag=True, help="They may no longer act as this.")
@click.pass_obj
def role(desk: Desk, person_id: UUID, role_name: str, at: UUID, until: str | None, end: bool) -> None:
    """Say as what somebody may act where, or may no longer."""
    from ingest.register import directory
    from ingest.register.forms import filled_in
    from models.access import Action
    from models.audit import Kind

    if end:
        over = directory.EndRoleForm(organisation_id=at, role=Role(role_name))
        desk.do(Action.PEOPLE_CHANGE, Kind.UPDATE, lambda act: directory.end_role(act, person_id, over))
        return
    fields = {"organisation_id": at, "role": Role(role_name), "until": until}
    form = filled_in(directory.RoleForm, fields)
    desk.do(Action.PEOPLE_CHANGE, Kind.CREATE, lambda act: directory.give_role(act, person_id, form))


@register.command()
@click.argument("channel", type=click.Choice([channel.value for channel in Channel]))
@click.argument("where", metavar="ADDRESS")
@click.option("--of-organisation", type=click.UUID)
@click.option("--of-person", type=click.UUID)
@click.pass_obj
def address(
    desk: Desk, channel: str, where: str, of_organisation: UUID | None, of_person: UUID | None
) -> None:
    """Say where messages to an organisation or a person go."""
    from ingest.register import directory
    from ingest.register.desk import say
    from ingest.register.forms import filled_in
    from models.access import Action
    from models.audit import Kind

    fields = {"organisation_id": of_organisation, "person_id": of_person, "address": where}
    form = filled_in(directory.AddressForm, fields | {"channel": Channel(channel)})
    new = desk.do(Action.ORGANISATION_CHANGE, Kind.CREATE, lambda act: directory.add_address(act, form))
    say({"address_id": new})


@register.command()
@click.pass_obj
def organisations(desk: Desk) -> None:
    """List the organisations."""
    from ingest.register import directory
    from ingest.register.desk import say
    from models.access import Action
    from models.audit import Kind

    say(desk.do(Action.DIRECTORY_READ, Kind.READ, directory.list_organisations))


@register.command()
@click.option("--kafka", metavar="HOST:PORT", help="Brokers of the log. Default: THUISWACHT_KAFKA.")
@click.option("--topic", metavar="NAME", help="The topic of the log. Default: THUISWACHT_TOPIC.")
@click.option("--probes-port", type=int, metavar="PORT", help="Port of /metrics, /healthz, /readyz; 0: none.")
@click.pass_obj
def publish(desk: Desk, kafka: str | None, topic: str | None, probes_port: int | None) -> None:
    """Tell the log what was decided about patients: a service.

    Runs until SIGTERM or Ctrl-C. Start a second one if you like: one tells, the other is there in case it
    goes. While Kafka or Postgres is away it waits, and nothing is lost.
    """
    import asyncio

    from ingest.register.publish import run_publisher
    from ingest.service import until_told
    from models import logs
    from models.probes import Health, serving
    from models.settings import load_settings
    from models.watchdog import watched

    settings = load_settings(postgres=desk.postgres, kafka=kafka, topic=topic, probes_port=probes_port)
    logs.configure(settings.log_level)
    _ = settings.postgres_dsn
    health = Health(needs=("database", "broker"), stall_after_s=settings.stall_timeout_s)
    probes = serving(health, settings.probes_host, settings.probes_port)
    with watched(health, settings.stall_exit_s), probes:
        asyncio.run(until_told(lambda stop: run_publisher(settings, stop=stop, health=health)))

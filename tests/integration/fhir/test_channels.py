"""FHIR and the patient's app over real HTTPS: a hospital's server, a vendor's webhook, what goes wrong."""

import json
import secrets
from base64 import b64decode
from datetime import date
from io import BytesIO
from pathlib import Path
from uuid import UUID

import pytest
from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.communicationrequest import CommunicationRequest
from pypdf import PdfReader
from standardwebhooks import Webhook

from alerting.notify.channels import Address, Delivered, Later, Note, Outgoing, Receipt, Refused
from alerting.notify.channels.fhir import Draw, FhirTransactions, Letters, issues_of
from alerting.notify.channels.patient import ToPatients
from alerting.notify.channels.webhook import as_told, secret_of
from alerting.notify.fhir.handed import Written
from alerting.notify.https import Https
from alerting.notify.patient_round import queue_for_patients
from alerting.notify.patient_text_files import load_texts
from alerting.notify.sender import send_due
from alerting.notify.written import written_letters
from models.clock import HOUR_US, MINUTE_US, wall_now_us
from models.db.pool import Connection, Pool
from models.db.requests import write_requests
from models.escalations import Channel, MessageState
from models.identity import NONCE_BYTES, Identity, Keys
from models.messages import Origin
from models.requests import MeasurementRequest, RequestStatus
from tests import shipped
from tests.integration.fhir.hospital import Received, Reply, Store, listening
from tests.integration.fhir.world import World

KEY = b"w" * 32
ADDRESS_ID = UUID(int=5, version=4)


async def letter(_connection: Connection, _note: Note) -> Draw:
    async def draw() -> Written:
        return Written("De patiënt houdt vocht vast.", b"%PDF-1.7")

    return draw


async def hand_over(
    world: World, dispatch: Pool, https: Https, url: str, letters: Letters = letter
) -> Receipt:
    channel = FhirTransactions(https, [KEY], letters, release="0.1.0", public_url="https://thuiswacht.test")
    note = await world.note()
    async with dispatch.transaction() as connection:
        finish = await channel.compose(connection, note)
    assert not isinstance(finish, Refused)
    return await channel.send(Outgoing(note, await finish(), Address(ADDRESS_ID, url, sandbox=True)))


async def test_a_hospital_takes_it_once_and_its_answer_comes_back(
    world: World, dispatch: Pool, tmp_path: Path
) -> None:
    store = Store()
    async with listening(tmp_path, store) as (hospital, https):
        assert await hand_over(world, dispatch, https, hospital.url) == Delivered()
        kept = len(store.resources)
        assert await hand_over(world, dispatch, https, hospital.url) == Delivered()
        assert len(store.resources) == kept
        first = hospital.received[0]
    Bundle.model_validate_json(first.content)
    assert first.path == "/fhir"
    Webhook(as_told(secret_of(KEY, ADDRESS_ID))).verify(first.content, first.headers)
    assert str(world.patient_id) not in str(first.headers)
    (task,) = store.of("Task")
    (flag,) = store.of("Flag")
    assert flag["subject"]["identifier"]["value"] == str(world.patient_id)
    # The hospital's system answers where the Task says.
    path = task["extension"][0]["valueUrl"].removeprefix("https://thuiswacht.test")
    answered = task | {"status": "accepted", "owner": {"reference": f"Practitioner/{world.specialist}"}}
    response = await world.api.put(
        path,
        content=json.dumps(answered),
        headers={"x-who": "system", "content-type": "application/fhir+json"},
    )
    assert response.status_code == 200, response.text
    alert, _, _ = await world.now()
    assert alert.owner == world.specialist


async def test_the_letter_in_it_is_the_one_that_a_person_reads(
    world: World, dispatch: Pool, tmp_path: Path
) -> None:
    """As it travels: as for secure mail, of a patient whose name the dispatcher may open."""
    keys = Keys(b"k" * 32)
    who = Identity(family_name="Şahin", given_names="Ayşe", birth_date=date(1947, 3, 9), without_bsn="test")
    sealed = keys.seal(world.patient_id, who, secrets.token_bytes(NONCE_BYTES))
    await world.admin.execute(
        "INSERT INTO patient_identity (patient_id, organisation_id, sealed, key_id, name_digest) "
        "VALUES ($1, $2, $3, $4, $5)",
        world.patient_id, world.region.centre, sealed.sealed, sealed.key_id, sealed.name_digest,
    )  # fmt: skip
    letters = written_letters(dispatch, keys, "https://thuiswacht.test", shipped.programmes())
    store = Store()
    async with listening(tmp_path, store) as (hospital, https):
        assert await hand_over(world, dispatch, https, hospital.url, letters) == Delivered()
        content = hospital.received[0].content
    bundle = Bundle.model_validate_json(content)
    assert bundle.type == "transaction"
    (communication,) = store.of("Communication")
    text, attached = communication["payload"]
    attachment = attached["contentAttachment"]
    assert attachment["contentType"] == "application/pdf"
    pages = PdfReader(BytesIO(b64decode(attachment["data"], validate=True))).pages
    pdf = "".join("".join(page.extract_text().split()) for page in pages)
    first = text["contentString"].splitlines()[0]
    assert first.startswith("Verantwoordelijk tot iemand dit met naam overneemt")
    asked = "Wilt u de patiënt beoordelen en de verantwoordelijkheid overnemen, uiterlijk"
    for said in (first, "Ayşe Şahin, geboren 9 maart 1947", asked):
        assert said in text["contentString"]
        assert "".join(said.split()) in pdf


@pytest.mark.parametrize(
    ("reply", "receipt"),
    [
        ((422, {"issue": [{"code": "invalid"}]}), Refused("http 422")),
        ((412, {"issue": [{"code": "multiple-matches"}]}), Refused("http 412")),
        ((503, {"issue": [{"code": "transient"}]}), Later("http 503")),
        ((200, "<html>Log in</html>"), Later("no transaction-response")),
        ((302, ""), Refused("redirect")),
    ],
)  # fmt: skip
async def test_what_a_server_makes_of_it(
    world: World, dispatch: Pool, tmp_path: Path, reply: Reply, receipt: Receipt
) -> None:
    async with listening(tmp_path, lambda _: reply) as (hospital, https):
        assert await hand_over(world, dispatch, https, hospital.url) == receipt


async def test_what_a_server_says_of_a_patient_is_not_logged(
    world: World, dispatch: Pool, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [
        {"code": "invalid", "diagnostics": f"De Vries {world.patient_id} is unknown"}, {"code": "De Vries"},
    ]}  # fmt: skip
    async with listening(tmp_path, lambda _: (422, outcome)) as (hospital, https):
        await hand_over(world, dispatch, https, hospital.url)
    said = "".join(capsys.readouterr())
    assert "De Vries" not in said
    assert str(world.patient_id) not in said
    assert issues_of(json.dumps(outcome).encode()) == ["invalid"]


def request(
    world: World, taken_at_us: int, status: RequestStatus = RequestStatus.PENDING
) -> MeasurementRequest:
    return MeasurementRequest(
        patient_id=world.patient_id, organisation_id=world.region.centre, origin=Origin.SIMULATED,
        log_partition=0, kind="body_weight", taken_at_us=taken_at_us, due_us=taken_at_us + 4 * HOUR_US,
        reason="jump", status=status, value=92.0, former=81.4, said_at_us=taken_at_us,
    )  # fmt: skip


async def round_of(dispatch: Pool, now_us: int, *, tell_seen: bool = True) -> int:
    async with dispatch.transaction() as connection:
        return await queue_for_patients(connection, now_us, tell_seen=tell_seen)


async def test_what_the_gate_asks_is_told_once(world: World, dispatch: Pool) -> None:
    now_us = wall_now_us()
    await world.measure(now_us - MINUTE_US)
    await write_requests(world.admin, [request(world, now_us - MINUTE_US)])
    assert await round_of(dispatch, now_us) == 0, "this vendor has no app"
    await world.app("https://app.example/hook")
    assert await round_of(dispatch, now_us) == 1
    assert await round_of(dispatch, now_us + MINUTE_US) == 0
    (message,) = await world.to_patient()
    assert json.loads(message.body)["text"] == "measure_again"
    assert message.deliver_by_us == now_us - MINUTE_US + 4 * HOUR_US


async def test_what_was_answered_meanwhile_is_not_sent(world: World, dispatch: Pool) -> None:
    now_us = wall_now_us()
    await world.measure(now_us - MINUTE_US)
    await world.app("https://app.example/hook")
    await write_requests(world.admin, [request(world, now_us - MINUTE_US)])
    await round_of(dispatch, now_us)
    await write_requests(world.admin, [request(world, now_us - MINUTE_US, RequestStatus.CONFIRMED)])
    assert await round_of(dispatch, now_us) == 0
    (message,) = await world.to_patient()
    assert message.state is MessageState.WITHDRAWN


async def test_a_real_app_gets_nothing_of_who_does_not_exist(world: World, dispatch: Pool) -> None:
    now_us = wall_now_us()
    await world.measure(now_us - MINUTE_US)
    await world.app("https://app.example/hook", origin="real")
    await write_requests(world.admin, [request(world, now_us - MINUTE_US)])
    assert await round_of(dispatch, now_us) == 0


async def test_a_look_of_the_nurse_is_told_once_and_only_if_wanted(world: World, dispatch: Pool) -> None:
    now_us = wall_now_us()
    await world.measure(now_us - MINUTE_US)
    await world.app("https://app.example/hook")
    acknowledge = (
        "UPDATE alert SET state = 'acknowledged', owner = $1, acknowledged_at = now() - interval '1 minute', "
        "resolve_by = now() + interval '1 hour'"
    )
    await world.admin.execute(acknowledge, world.known["nurse"].user.person_id)
    assert await round_of(dispatch, now_us, tell_seen=False) == 0
    assert await round_of(dispatch, now_us) == 1
    assert await round_of(dispatch, now_us + MINUTE_US) == 0
    await world.admin.execute(acknowledge, world.known["nurse"].user.person_id)
    assert await round_of(dispatch, now_us + MINUTE_US) == 0, "one evening is one look"


async def tell(world: World, dispatch: Pool, https: Https) -> Receipt | Refused:
    channel = ToPatients(https, [KEY], load_texts())
    (message,) = await world.to_patient()
    note = await world.note()
    note = Note(message, (), (), note.sender, note.responsible, None, note.now_us)
    async with dispatch.transaction() as connection:
        content = await channel.compose(connection, note)
    if isinstance(content, Refused):
        return content
    return await channel.send(Outgoing(note, content, None))


async def test_the_app_shows_it_in_the_patients_language(
    world: World, dispatch: Pool, tmp_path: Path
) -> None:
    now_us = wall_now_us()
    await world.measure(now_us - MINUTE_US)
    await write_requests(world.admin, [request(world, now_us - MINUTE_US)])
    await world.admin.execute("UPDATE patient_care SET language = 'en', copy_to_mantelzorger = true")
    await world.region.address(world.region.centre, "phone")
    async with listening(tmp_path, lambda _: (204, "")) as (vendor, https):
        address_id = await world.app(vendor.url)
        await round_of(dispatch, now_us)
        assert await tell(world, dispatch, https) == Delivered()
        received: Received = vendor.received[0]
    resource = received.json
    CommunicationRequest.model_validate_json(received.content)
    assert resource["language"] == "en"
    assert "measure your weight again" in resource["payload"][1]["contentString"]
    assert "phone@example.nl" in resource["payload"][1]["contentString"]
    assert [one["type"] for one in resource["recipient"]] == ["Patient", "RelatedPerson"]
    Webhook(as_told(secret_of(KEY, address_id))).verify(received.content, received.headers)
    assert received.headers["webhook-id"] == resource["id"]
    assert str(world.patient_id) not in received.path + str(received.headers)


@pytest.mark.parametrize(
    ("status", "state", "troubles"),
    [(204, MessageState.DELIVERED, []), (410, MessageState.GIVEN_UP, ["patient_not_reached"])],
)
async def test_the_sender_tells_who_was_not_reached(
    world: World, dispatch: Pool, tmp_path: Path, status: int, state: MessageState, troubles: list[str]
) -> None:
    now_us = wall_now_us()
    await world.admin.execute("DELETE FROM message")
    await world.measure(now_us - MINUTE_US)
    await write_requests(world.admin, [request(world, now_us - MINUTE_US)])
    async with listening(tmp_path, lambda _: (status, "")) as (vendor, https):
        await world.app(vendor.url)
        await round_of(dispatch, now_us)
        await send_due(dispatch, {Channel.PATIENT: ToPatients(https, [KEY], load_texts())}, now_us)
    (message,) = await world.to_patient()
    assert message.state is state
    rows = await world.admin.fetch("SELECT trouble, subject, details FROM technical_alert")
    assert [row["trouble"] for row in rows] == troubles
    assert str(world.patient_id) not in str(rows)


async def test_who_is_not_followed_any_more_is_told_nothing(
    world: World, dispatch: Pool, tmp_path: Path
) -> None:
    now_us = wall_now_us()
    await world.measure(now_us - MINUTE_US)
    await write_requests(world.admin, [request(world, now_us - MINUTE_US)])
    async with listening(tmp_path, lambda _: (204, "")) as (vendor, https):
        await world.app(vendor.url)
        await round_of(dispatch, now_us)
        await world.admin.execute("UPDATE patient_care SET ended_at = now()")
        assert await tell(world, dispatch, https) == Refused("the follow-up has ended")
        assert not vendor.received

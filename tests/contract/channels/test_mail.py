"""What is the mail's own: relays that refuse, defer, or offer no TLS; texts that say nothing of a patient."""

import ssl
from dataclasses import replace
from typing import Any

import pytest

from alerting.notify.channels import Correspondent, Delivered, Gone, Later, Outgoing, Receipt, Refused
from alerting.notify.channels.mail import Mail, text_of
from alerting.notify.https import tls_of
from alerting.notify.relay import Relay
from tests.notes import CENTRE, PATIENT, address, alert, note
from tests.receivers.authority import Authority
from tests.receivers.smtp import PASSWORD, USER, mail_server

URL = "https://thuiswacht.example.org"


def relay(authority: Authority, port: int, **changes: Any) -> Relay:
    made = Relay("localhost", port, "tls", "melding@thuiswacht.example.org", tls_of(authority.file))
    return replace(made, **changes)


async def send(by: Relay) -> Receipt:
    return await Mail(by, URL).send(Outgoing(note(), b"Er wacht iets.\n", address("praktijk@example.org")))


@pytest.mark.parametrize(
    ("recipients", "data", "expected"),
    [
        (["550 5.1.1 No such mailbox"], [], Gone("smtp 550")),
        (["450 4.2.0 Greylisted"], [], Later("smtp 450")),
        (["552 5.2.2 Full"], [], Refused("smtp 552")),
        ([], ["451 4.3.0 Later"], Later("smtp 451")),
        ([], ["554 5.7.1 Spam"], Refused("smtp 554")),
    ],
)
async def test_what_a_relay_says(
    authority: Authority,
    server_tls: ssl.SSLContext,
    recipients: list[str],
    data: list[str],
    expected: Receipt,
) -> None:
    async with mail_server(server_tls) as box:
        box.recipients.extend(recipients)
        box.data.extend(data)
        assert await send(relay(authority, box.port)) == expected
        assert box.mails == []
        assert await send(relay(authority, box.port)) == Delivered()


async def test_starttls_with_a_login(authority: Authority, server_tls: ssl.SSLContext) -> None:
    async with mail_server(server_tls, starttls=True) as box:
        by = relay(authority, box.port, security="starttls", user=USER, password=PASSWORD)
        assert await send(by) == Delivered()
        assert await send(replace(by, password="wrong")) == Later("smtp login refused")
        assert len(box.mails) == 1


async def test_without_tls_nothing_is_said(authority: Authority, server_tls: ssl.SSLContext) -> None:
    async with mail_server(server_tls, in_the_open=True) as box:
        for security in ("tls", "starttls"):
            assert isinstance(await send(relay(authority, box.port, security=security)), Later)
        assert box.raw == []


async def test_a_relay_that_nobody_vouches_for_is_not_used(
    authority: Authority, server_tls: ssl.SSLContext
) -> None:
    async with mail_server(server_tls) as box:
        assert await send(relay(authority, box.port, tls=tls_of(None))) == Later("certificate")
        assert box.raw == []


def test_the_text_says_who_and_where_and_nothing_of_the_patient() -> None:
    said = note([alert()])
    text = text_of(said, URL)
    [escalation] = said.escalations
    assert text.count(f"{URL}/console/huisarts/{escalation.escalation_id}") == 2
    for secret in (str(PATIENT), escalation.reason, "fluid", "medium", "simulated"):
        assert secret not in text
    unnamed = text_of(replace(said, sender=Correspondent(CENTRE)), URL)
    assert unnamed.startswith("De afzender blijft verantwoordelijk tot iemand bij u dit op naam aanneemt.\n")

"""What is the webhooks' own: signatures, certificates, where a connection goes, what comes back."""

import ssl
from uuid import UUID

import pytest
from standardwebhooks.webhooks import Webhook as Verifier
from standardwebhooks.webhooks import WebhookVerificationError

from alerting.notify.channels import Delivered, Later, Outgoing, Receipt, Refused
from alerting.notify.channels.webhook import Webhook, as_told, secret_of
from alerting.notify.https import Https, tls_of
from tests.notes import address, note
from tests.receivers.authority import Authority
from tests.receivers.https import Reply, endpoint

OLD, NEW = b"o" * 32, b"n" * 32
ADDRESS = UUID(int=5)


def channel(authority: Authority, *keys: bytes) -> Webhook:
    return Webhook(Https(tls_of(authority.file), own_machine=True), keys or (NEW,))


async def test_another_key_address_or_content_does_not_verify(
    authority: Authority, server_tls: ssl.SSLContext
) -> None:
    async with endpoint(server_tls) as receiver:
        to = address(receiver.url())
        assert await channel(authority).send(Outgoing(note(), b'{"a":1}', to)) == Delivered()
    [request] = receiver.requests
    headers = dict(request.headers)
    right = Verifier(as_told(secret_of(NEW, to.address_id)))
    assert right.verify(request.body, headers) == {"a": 1}
    for key, key_of_address in ((OLD, to.address_id), (NEW, ADDRESS)):
        with pytest.raises(WebhookVerificationError):
            Verifier(as_told(secret_of(key, key_of_address))).verify(request.body, headers)
    for changed in ({"webhook-id": str(ADDRESS)}, {"webhook-timestamp": "1795332681"}):
        with pytest.raises(WebhookVerificationError):
            right.verify(request.body, headers | changed)
    with pytest.raises(WebhookVerificationError):
        right.verify(b'{"a":2}', headers)


async def test_while_keys_change_both_verify(authority: Authority, server_tls: ssl.SSLContext) -> None:
    async with endpoint(server_tls) as receiver:
        to = address(receiver.url())
        await channel(authority, NEW, OLD).send(Outgoing(note(), b"{}", to))
    [request] = receiver.requests
    for key in (OLD, NEW):
        assert (
            Verifier(as_told(secret_of(key, to.address_id))).verify(request.body, dict(request.headers)) == {}
        )


async def test_a_name_is_looked_up_once_and_the_connection_goes_there_under_that_name(
    authority: Authority,
) -> None:
    asked: list[str] = []

    async def rebinding(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["127.0.0.99"]

    async with endpoint(authority.server("hooks.example.org")) as receiver:
        https = Https(tls_of(authority.file), own_machine=True, look_up=rebinding)
        sent = await Webhook(https, [NEW]).send(
            Outgoing(note(), b"{}", address(receiver.url("hooks.example.org", "/in?a=b")))
        )
        assert sent == Delivered()
    assert asked == ["hooks.example.org"]
    [request] = receiver.requests
    assert request.headers["host"] == f"hooks.example.org:{receiver.port}"
    assert request.target == "/in?a=b"


async def send_to(https: Https, url: str) -> Receipt:
    return await Webhook(https, [NEW]).send(Outgoing(note(), b"{}", address(url)))


async def test_certificates_are_checked(authority: Authority, server_tls: ssl.SSLContext) -> None:
    async def here(host: str, port: int) -> list[str]:
        return ["127.0.0.1"]

    async with endpoint(server_tls) as receiver:
        # An authority that we do not know; a certificate of another name.
        assert await send_to(Https(tls_of(None), own_machine=True), receiver.url()) == Later("certificate")
        named = Https(tls_of(authority.file), own_machine=True, look_up=here)
        assert await send_to(named, receiver.url("other.example.org")) == Later("certificate")
        assert receiver.requests == []


async def test_this_machine_is_out_of_bounds_unless_it_was_said(
    authority: Authority, server_tls: ssl.SSLContext
) -> None:
    async with endpoint(server_tls) as receiver:
        for host in ("localhost", "127.0.0.1"):
            sent = await send_to(Https(tls_of(authority.file)), receiver.url(host))
            assert sent == Refused("address not allowed")
        assert receiver.requests == []


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_redirects_are_never_followed(
    authority: Authority, server_tls: ssl.SSLContext, status: int
) -> None:
    async with endpoint(server_tls) as elsewhere, endpoint(server_tls) as receiver:
        receiver.usual = Reply(status, {"Location": elsewhere.url()})
        sent = await channel(authority).send(Outgoing(note(), b"{}", address(receiver.url())))
        assert sent == Refused("redirect")
        assert elsewhere.requests == []


async def test_an_endless_answer_is_cut_off(authority: Authority, server_tls: ssl.SSLContext) -> None:
    async with endpoint(server_tls) as receiver:
        receiver.usual = Reply(200, body=b"x" * 3_000_000)
        answer = await Https(tls_of(authority.file), own_machine=True).post(receiver.url(), b"{}", {})
    assert (answer.status, len(answer.body)) == (200, 64 * 1024)

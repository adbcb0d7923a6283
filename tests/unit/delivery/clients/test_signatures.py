"""Signed requests are believed when a key of the sender signed this body, now."""

import base64
import hashlib
import hmac
from collections.abc import Mapping

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook

from ingest.delivery.clients.signatures import (
    BODY,
    FORMS,
    KEPT_S,
    KEPT_WITHOUT_TIME_S,
    STAMPED,
    STANDARD,
    TOLERANCE_S,
    BadSignature,
    Form,
    form_of,
    sign,
    verify,
)
from models.clock import SECOND_US, to_datetime

SECRET, OTHER = b"s" * 32, b"o" * 32
NOW_S = 1_795_000_000
NOW_US = NOW_S * SECOND_US
BODY_SENT = b'{"kind": "body_weight", "value": 81.4}'


def hexadecimal(secret: bytes, content: bytes) -> str:
    return hmac.new(secret, content, hashlib.sha256).hexdigest()


def stamped(body: bytes, at: str = str(NOW_S), **more: str) -> dict[str, str]:
    return {"x-timestamp": at, "x-signature": hexadecimal(SECRET, f"{at}.".encode() + body), **more}


def in_one(body: bytes) -> dict[str, str]:
    return {"x-signature": f"t={NOW_S},v1={hexadecimal(SECRET, f'{NOW_S}.'.encode() + body)}"}


def of_body(body: bytes) -> dict[str, str]:
    return {"x-hub-signature-256": "sha256=" + hexadecimal(SECRET, body)}


SIGNED: Mapping[str, tuple[Form, dict[str, str]]] = {
    "standard": (STANDARD, sign(SECRET, "msg_1", NOW_S, BODY_SENT)),
    "stamped": (STAMPED, stamped(BODY_SENT)),
    "both in one header": (STAMPED, in_one(BODY_SENT)),
    "of the body": (BODY, of_body(BODY_SENT)),
}


@pytest.mark.parametrize("name", SIGNED)
def test_what_a_key_signed_is_believed(name: str) -> None:
    form, headers = SIGNED[name]
    assert form_of(headers) is form
    for secrets in ([SECRET], [OTHER, SECRET]):
        believed = verify(form, headers, BODY_SENT, secrets, NOW_US)
        assert believed.kept_s == (KEPT_WITHOUT_TIME_S if form is BODY else KEPT_S)
    for secrets in ([OTHER], []):
        with pytest.raises(BadSignature, match="signature"):
            verify(form, headers, BODY_SENT, secrets, NOW_US)


@pytest.mark.parametrize("name", SIGNED)
@given(st.binary(max_size=50))
def test_another_body_is_not_believed(name: str, body: bytes) -> None:
    form, headers = SIGNED[name]
    with pytest.raises(BadSignature, match="signature"):
        verify(form, headers, body, [SECRET], NOW_US)


@pytest.mark.parametrize("name", [name for name, (form, _) in SIGNED.items() if form is not BODY])
def test_old_and_future_signatures_are_not_believed(name: str) -> None:
    form, headers = SIGNED[name]
    for away_s in (-TOLERANCE_S, TOLERANCE_S):
        verify(form, headers, BODY_SENT, [SECRET], NOW_US + away_s * SECOND_US)
    for away_s in (-TOLERANCE_S - 1, TOLERANCE_S + 1):
        with pytest.raises(BadSignature, match="not_now"):
            verify(form, headers, BODY_SENT, [SECRET], NOW_US + away_s * SECOND_US)


@given(st.text(min_size=1, max_size=30, alphabet=st.characters(min_codepoint=33, max_codepoint=126)))
def test_somebody_elses_library_and_ours_agree(message_id: str) -> None:
    webhook = Webhook(base64.b64encode(SECRET).decode())
    at = to_datetime(NOW_US)
    theirs = {
        "webhook-id": message_id,
        "webhook-timestamp": str(NOW_S),
        "webhook-signature": webhook.sign(message_id, at, BODY_SENT.decode()),
    }
    assert theirs == sign(SECRET, message_id, NOW_S, BODY_SENT)
    verify(STANDARD, theirs, BODY_SENT, [SECRET], NOW_US)


def test_one_of_several_signatures_suffices() -> None:
    headers = sign(SECRET, "msg_1", NOW_S, BODY_SENT)
    wrong = sign(OTHER, "msg_1", NOW_S, BODY_SENT)["webhook-signature"]
    both = {**headers, "webhook-signature": f"v1a,x {wrong} {headers['webhook-signature']}"}
    assert verify(STANDARD, both, BODY_SENT, [SECRET], NOW_US)
    many = {**headers, "webhook-signature": f"{wrong} " * 10 + headers["webhook-signature"]}
    with pytest.raises(BadSignature):
        verify(STANDARD, many, BODY_SENT, [SECRET], NOW_US)


def test_the_same_request_is_known_by_its_id_or_by_what_it_holds() -> None:
    def known(form: Form, headers: dict[str, str], body: bytes) -> bytes:
        return verify(form, headers, body, [SECRET], NOW_US).id_sha256

    again = sign(SECRET, "msg_1", NOW_S + 60, BODY_SENT)
    other = sign(SECRET, "msg_2", NOW_S, BODY_SENT)
    assert known(STANDARD, SIGNED["standard"][1], BODY_SENT) == known(STANDARD, again, BODY_SENT)
    assert known(STANDARD, again, BODY_SENT) != known(STANDARD, other, BODY_SENT)
    assert known(BODY, of_body(b"1"), b"1") != known(BODY, of_body(b"2"), b"2")
    first, second = stamped(b"1", **{"x-request-id": "a"}), stamped(b"2", **{"x-request-id": "a"})
    assert known(STAMPED, first, b"1") == known(STAMPED, second, b"2")


@pytest.mark.parametrize("at", ["", "x", "-5", "+5", " 1795000000", "01795000000", "1e9", "9" * 13, "\u0661"])
def test_a_time_that_is_none(at: str) -> None:
    with pytest.raises(BadSignature, match="time"):
        verify(STAMPED, stamped(BODY_SENT, at=at), BODY_SENT, [SECRET], NOW_US)


@pytest.mark.parametrize("message_id", ["", "a b", "é", "x" * 201, "a\n"])
def test_an_id_that_is_none(message_id: str) -> None:
    headers = {**sign(SECRET, "msg_1", NOW_S, BODY_SENT), "webhook-id": message_id}
    with pytest.raises(BadSignature, match="id"):
        verify(STANDARD, headers, BODY_SENT, [SECRET], NOW_US)


_HEADERS = (
    "webhook-id", "webhook-timestamp", "webhook-signature", "x-signature", "x-timestamp", "x-request-id",
    "x-hub-signature-256",
)  # fmt: skip


@given(st.dictionaries(st.sampled_from(_HEADERS), st.text(max_size=80)), st.sampled_from(FORMS), st.binary())
def test_whatever_is_sent_is_refused_and_nothing_worse(
    headers: dict[str, str], form: Form, body: bytes
) -> None:
    with pytest.raises(BadSignature):
        verify(form, headers, body, [SECRET], NOW_US)


def test_what_is_not_signed_has_no_form() -> None:
    assert form_of({"content-type": "application/json"}) is None
    with pytest.raises(BadSignature, match="not_signed"):
        verify(STAMPED, {"x-signature": "abc"}, b"", [SECRET], NOW_US)

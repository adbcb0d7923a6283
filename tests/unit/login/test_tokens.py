"""Tokens of others: each way in which one is wrong is refused."""

from typing import Any

import pytest

from ingest.gateway.login.tokens import (
    ASSERTION_LONGEST_S,
    LEEWAY_S,
    BadToken,
    Expected,
    algorithms_of,
    client_assertion,
    client_id_of,
    id_token_claims,
    key_for,
    logout_token,
)
from tests.unit.login.signing import NOW_S, NOW_US, confused, ec, public, rsa, signed, unsigned

EXPECTED = Expected("https://login.example.org", "thuiswacht")
ID = {
    "iss": EXPECTED.issuer, "aud": EXPECTED.audience, "sub": "someone", "nonce": "n",
    "iat": NOW_S - 5, "exp": NOW_S + 60,
}  # fmt: skip
EVENT: dict[str, object] = {"http://schemas.openid.net/event/backchannel-logout": {}}
OUT: dict[str, Any] = {
    "iss": EXPECTED.issuer, "aud": EXPECTED.audience, "sid": "s1", "jti": "12345678", "events": EVENT,
    "iat": NOW_S, "exp": NOW_S + 60,
}  # fmt: skip
ENDPOINT = "https://thuiswacht.example.org/token"
SIGNED = {
    "iss": "gateway-1", "sub": "gateway-1", "aud": ENDPOINT, "jti": "12345678",
    "iat": NOW_S, "exp": NOW_S + 60,
}  # fmt: skip


def read_id(token: str) -> Any:
    key = key_for(token, public(rsa(), rsa("two")))
    if key is None:
        raise BadToken("unknown_key")
    return id_token_claims(token, key, EXPECTED, nonce="n", now_us=NOW_US)


def test_an_id_token_that_answers_our_request() -> None:
    assert read_id(signed(ID, rsa()))["sub"] == "someone"
    assert read_id(signed(ID, rsa(), "PS256"))["sub"] == "someone"
    assert read_id(signed(ID | {"aud": ["thuiswacht", "other"], "azp": "thuiswacht"}, rsa("two")))


@pytest.mark.parametrize(
    "changed",
    [
        {"exp": NOW_S - LEEWAY_S},
        {"iat": NOW_S + LEEWAY_S + 1},
        {"nbf": NOW_S + LEEWAY_S + 1},
        {"iss": "https://evil.example"},
        {"aud": "another"},
        {"aud": ["another"]},
        {"aud": ["thuiswacht", "another"]},
        {"aud": ["thuiswacht", "another"], "azp": "another"},
        {"azp": "another"},
        {"nonce": "another"},
        {"nonce": None},
        {"sub": ""},
        {"exp": None},
        {"iat": None},
        {"exp": float("nan")},
        {"exp": "soon"},
        {"exp": True},
    ],
)
def test_an_id_token_that_is_not_for_us_now(changed: dict[str, Any]) -> None:
    claims = {name: value for name, value in (ID | changed).items() if value is not None}
    with pytest.raises(BadToken):
        read_id(signed(claims, rsa()))


@pytest.mark.parametrize(
    "token",
    [
        unsigned(ID),
        unsigned(ID, "None"),
        unsigned(ID, "RS256"),
        confused(ID, rsa()),
        signed(ID, rsa("three")),
        signed(ID, rsa("two")).rpartition(".")[0] + "." + signed(ID, rsa()).rpartition(".")[2],
        signed(ID, ec(), "ES256"),
        "a.b.c",
        "",
        "é",
    ],
)
def test_a_token_that_nobody_signed(token: str) -> None:
    with pytest.raises(BadToken):
        read_id(token)


def test_the_message_holds_nothing_of_the_token() -> None:
    with pytest.raises(BadToken) as refused:
        read_id(signed(ID | {"iss": "https://evil.example", "sub": "private"}, rsa()))
    assert "evil" not in str(refused.value)
    assert str(refused.value) == "invalid_claim"


def test_keys_decide_which_algorithms() -> None:
    assert set(algorithms_of(rsa())) == {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512"}
    assert algorithms_of(ec()) == ("ES256",)
    assert algorithms_of(ec("P-384")) == ("ES384",)
    assert "none" not in algorithms_of(rsa())


def test_without_a_kid_the_only_key_is_meant_and_no_other() -> None:
    bare = unsigned(ID, "RS256", kid=None)
    assert key_for(bare, public(rsa())) is not None
    assert key_for(bare, public(rsa(), rsa("two"))) is None


def test_a_logout_token() -> None:
    found = logout_token(signed(OUT, rsa()), rsa(), EXPECTED, now_us=NOW_US)
    assert (found.subject, found.provider_session, found.jti) == (None, "s1", "12345678")


@pytest.mark.parametrize(
    "changed",
    [{"events": {}}, {"events": None}, {"nonce": "n"}, {"sid": None}, {"jti": None}, {"exp": NOW_S - 60}],
)
def test_what_is_no_logout_token(changed: dict[str, Any]) -> None:
    claims = {name: value for name, value in (OUT | changed).items() if value is not None}
    with pytest.raises(BadToken):
        logout_token(signed(claims, rsa()), rsa(), EXPECTED, now_us=NOW_US)


def test_an_id_token_ends_no_session() -> None:
    with pytest.raises(BadToken):
        logout_token(signed(ID, rsa()), rsa(), EXPECTED, now_us=NOW_US)


@pytest.mark.parametrize(("key", "algorithm"), [(rsa(), "PS256"), (ec(), "ES256"), (ec("P-384"), "ES384")])
def test_what_a_system_signed(key: Any, algorithm: str) -> None:
    token = signed(SIGNED, key, algorithm)
    assert client_id_of(token) == "gateway-1"
    found = client_assertion(token, key, "gateway-1", ENDPOINT, now_us=NOW_US)
    assert found.jti == "12345678"
    assert found.until_us == (NOW_S + 60 + LEEWAY_S) * 1_000_000


@pytest.mark.parametrize(
    "changed",
    [
        {"sub": "gateway-2"},
        {"iss": "gateway-2"},
        {"aud": "https://thuiswacht.example.org"},
        {"aud": [ENDPOINT, "https://other.example"]},
        {"exp": NOW_S - 60},
        {"exp": NOW_S + ASSERTION_LONGEST_S + LEEWAY_S + 1},
        {"iat": NOW_S + 60},
        {"iat": None},
        {"jti": None},
        {"jti": "short"},
        {"jti": "x" * 201},
    ],
)
def test_what_a_system_signed_wrongly(changed: dict[str, Any]) -> None:
    claims = {name: value for name, value in (SIGNED | changed).items() if value is not None}
    with pytest.raises(BadToken):
        client_assertion(signed(claims, rsa()), rsa(), "gateway-1", ENDPOINT, now_us=NOW_US)


@pytest.mark.parametrize("token", [unsigned(SIGNED), confused(SIGNED, ec()), signed(SIGNED, rsa())])
def test_what_its_key_did_not_sign(token: str) -> None:
    with pytest.raises(BadToken):
        client_assertion(token, ec(), "gateway-1", ENDPOINT, now_us=NOW_US)

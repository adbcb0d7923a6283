"""What decides about logins, with the time as an argument."""

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyotp.totp import TOTP

from ingest.gateway.login import forgery
from ingest.gateway.login.claims import ClaimMap, ClaimsRefused, Grant, grants_of, require_second_factor
from ingest.gateway.login.passwords import hash_password, is_password, new_totp_secret, step_of
from ingest.gateway.login.provider import read_told
from models.access import Role, User
from models.clock import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from models.errors import TryAgain
from models.sessions import ABSOLUTE_US, IDLE_US, TOKEN_US, Fault, Session, SessionKind, fault_of
from models.throttle import LIMITS, NONE, Counted, Failures, after_failure, after_success, wait_us

A, B = UUID(int=1), UUID(int=2)
MAP = ClaimMap(("two-factor",))
ORIGIN = "https://thuiswacht.example.org"


def session(kind: SessionKind = SessionKind.BROWSER, **changed: Any) -> Session:
    until_us = ABSOLUTE_US if kind is SessionKind.BROWSER else TOKEN_US
    return replace(Session(A, kind, User(A, B, Role.NURSE), 0, 0, until_us), **changed)


@pytest.mark.parametrize(
    ("held", "now_us", "fault"),
    [
        (session(), 0, None),
        (session(), IDLE_US - 1, None),
        (session(), IDLE_US, Fault.IDLE),
        (session(seen_us=IDLE_US), 2 * IDLE_US - 1, None),
        (session(seen_us=12 * HOUR_US - 1), 12 * HOUR_US - 1, None),
        (session(seen_us=12 * HOUR_US - 1), 12 * HOUR_US, Fault.ABSOLUTE),
        (session(ended_us=5), 6, Fault.ENDED),
        (session(SessionKind.SYSTEM), 10 * MINUTE_US - 1, None),
        (session(SessionKind.SYSTEM), 10 * MINUTE_US, Fault.ABSOLUTE),
    ],
)
def test_how_long_a_session_holds(held: Session, now_us: int, fault: Fault | None) -> None:
    assert fault_of(held, now_us) == fault


@pytest.mark.parametrize("counted", Counted)
def test_failures_are_free_then_double_then_stop_growing(counted: Counted) -> None:
    limit, failures = LIMITS[counted], NONE
    waits: list[int] = []
    now_us = DAY_US
    for _ in range(limit.free + 40):
        failures = after_failure(counted, failures, now_us)
        waits.append(wait_us([failures], now_us))
        now_us += waits[-1]
    assert waits[: limit.free] == [0] * limit.free
    assert waits[limit.free] == limit.first_us
    assert waits[limit.free + 1] == 2 * limit.first_us
    assert max(waits) == waits[-1] == limit.longest_us <= 15 * MINUTE_US


@given(st.sampled_from(Counted), st.lists(st.integers(0, 3 * HOUR_US), max_size=200))
def test_nobody_waits_longer_than_a_quarter_of_an_hour(counted: Counted, gaps: list[int]) -> None:
    failures, now_us = NONE, DAY_US
    for gap_us in gaps:
        now_us += gap_us
        if not wait_us([failures], now_us):
            failures = after_failure(counted, failures, now_us)
        assert 0 <= wait_us([failures], now_us) <= 15 * MINUTE_US


def test_failures_are_forgotten_after_a_day_and_by_success() -> None:
    many = Failures(50, 0, 5)
    assert after_failure(Counted.PAIR, many, DAY_US) == Failures(1, DAY_US)
    assert after_success(Counted.PAIR, many) is None
    assert after_success(Counted.ADDRESS, Failures(31, 0, 5)) == Failures(30, 0)
    assert after_success(Counted.ADDRESS, Failures(32, 0, 5)) == Failures(31, 0, 5)


@pytest.mark.parametrize(
    ("claims", "shown"),
    [
        ({"acr": "two-factor"}, "acr"),
        ({"acr": "1", "amr": ["pwd", "otp"]}, "amr"),
        ({"amr": "mfa"}, "amr"),
        ({"amr": ["hwk"]}, "amr"),
        ({"acr": "1", "amr": ["pwd"]}, None),
        ({"acr": ["two-factor"]}, None),
        ({"acr": "0", "amr": []}, None),
        ({"amr": {"otp": True}}, None),
        ({}, None),
    ],
)
def test_two_factors_are_demanded(claims: dict[str, Any], shown: str | None) -> None:
    if shown is None:
        with pytest.raises(ClaimsRefused, match="no_second_factor"):
            require_second_factor(claims, MAP.acr_values)
    else:
        assert require_second_factor(claims, MAP.acr_values) == shown


def test_roles_and_organisations_of_claims() -> None:
    assert grants_of({"roles": ["x", "nurse", "coordinator"], "organisation": str(A)}, MAP) == [
        Grant(Role.NURSE, A),
        Grant(Role.COORDINATOR, A),
    ]
    assert grants_of({"roles": "nurse", "organisation": [str(B), str(A)]}, MAP) == [
        Grant(Role.NURSE, B),
        Grant(Role.NURSE, A),
    ]
    theirs = ClaimMap(
        (), "realm_access.roles", "agb", roles={"Zuster": Role.NURSE}, organisations={"0601": B}
    )
    claims = {"realm_access": {"roles": ["Zuster", "nurse"]}, "agb": ["0601", str(A)]}
    assert grants_of(claims, theirs) == [Grant(Role.NURSE, B)]


@pytest.mark.parametrize(
    ("claims", "why"),
    [
        ({"organisation": str(A)}, "unknown_role"),
        ({"roles": ["gardener"], "organisation": str(A)}, "unknown_role"),
        ({"roles": ["service"], "organisation": str(A)}, "unknown_role"),
        ({"roles": [["nurse"]], "organisation": str(A)}, "unknown_role"),
        ({"roles": {"nurse": True}, "organisation": str(A)}, "unknown_role"),
        ({"roles": ["nurse"]}, "unknown_organisation"),
        ({"roles": ["nurse"], "organisation": "hospital"}, "unknown_organisation"),
        ({"roles": ["nurse", "huisarts"], "organisation": [str(A), str(B)]}, "ambiguous_roles"),
    ],
)
def test_claims_that_give_nothing(claims: dict[str, Any], why: str) -> None:
    with pytest.raises(ClaimsRefused, match=why):
        grants_of(claims, MAP)


@pytest.mark.parametrize(
    ("method", "headers", "shown", "is_forged"),
    [
        ("GET", {}, None, False),
        ("POST", {"origin": ORIGIN}, "right", False),
        ("POST", {"sec-fetch-site": "same-origin"}, "right", False),
        ("POST", {"origin": ORIGIN}, None, True),
        ("POST", {"origin": ORIGIN}, "wrong", True),
        ("POST", {}, "right", True),
        ("POST", {"origin": "null"}, "right", True),
        ("POST", {"origin": ORIGIN + ".evil.example"}, "right", True),
        ("DELETE", {"origin": ORIGIN, "sec-fetch-site": "cross-site"}, "right", True),
        ("PUT", {"sec-fetch-site": "same-site"}, "right", True),
    ],
)
def test_what_another_site_sends(
    method: str, headers: dict[str, str], shown: str | None, is_forged: bool
) -> None:
    token = forgery.csrf_token("session") if shown == "right" else shown
    assert forgery.is_forged(method, headers, "session", ORIGIN, token) == is_forged
    assert forgery.csrf_token("session") != forgery.csrf_token("another")


def test_passwords() -> None:
    hashed = hash_password("naïef wachtwoord")
    assert hashed.startswith("$argon2id$")
    assert is_password(hashed, "naïef wachtwoord"), "however the ï was typed"
    assert not is_password(hashed, "naief wachtwoord")
    assert not is_password(hashed, "x" * 1_000_000)
    assert not is_password("no hash", "x")


def test_codes_of_this_step_and_its_neighbours() -> None:
    secret = new_totp_secret()
    at = {step: TOTP(secret).at(step * 30) for step in range(98, 103)}
    found = {step: step_of(secret, code, 100 * 30 * SECOND_US) for step, code in at.items()}
    assert found == {98: None, 99: 99, 100: 100, 101: 101, 102: None}
    assert step_of(secret, "", DAY_US) is None
    assert step_of(secret, "१२३४५६", DAY_US) is None


TOLD = {
    "issuer": "https://login.example.org",
    "authorization_endpoint": "https://login.example.org/auth",
    "token_endpoint": "https://login.example.org/token",
    "jwks_uri": "https://login.example.org/keys",
}


@pytest.mark.parametrize(
    "changed",
    [
        {"issuer": "https://login.example.org/"},
        {"token_endpoint": "http://login.example.org/token"},
        {"jwks_uri": None},
        {"code_challenge_methods_supported": ["plain"]},
    ],
)
def test_a_provider_that_we_do_not_trust(changed: dict[str, Any]) -> None:
    assert read_told(TOLD, "https://login.example.org").end_session_endpoint is None
    with pytest.raises(TryAgain):
        read_told(TOLD | changed, "https://login.example.org")

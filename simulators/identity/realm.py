"""The realm of an organisation that does not exist: who works there, and that a password is not enough."""

import base64
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

TWO_FACTORS = "two-factor"
"""The acr of who showed a password and a code."""
_FLOW = "password, then code"


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody at the organisation. The secret of their codes is 20 letters or figures."""

    name: str
    password: str
    totp_secret: str
    roles: Sequence[str]
    organisations: Sequence[str]

    @property
    def totp_base32(self) -> str:
        """The secret as apps take it."""
        return base64.b32encode(self.totp_secret.encode()).decode()


@dataclass(frozen=True, slots=True)
class Realm:
    """A realm with one client: us."""

    name: str
    client_id: str
    client_secret: str
    members: Sequence[Member]
    redirect_uris: Sequence[str] = ()
    signing_client: str | None = None
    """Us a second time, with a key in place of a secret (private_key_jwt)."""
    signing_jwks: str = ""

    def described(self) -> dict[str, Any]:
        """As Keycloak imports it."""
        roles = sorted({role for member in self.members for role in member.roles})
        return {
            "realm": self.name,
            "enabled": True,
            "sslRequired": "none",
            "attributes": {"acr.loa.map": json.dumps({"password": "1", TWO_FACTORS: "2"})},
            # Tests log in more often than every 30 seconds; Thuiswacht's own codes count once.
            "otpPolicyCodeReusable": True,
            "otpPolicyType": "totp",
            "otpPolicyAlgorithm": "HmacSHA1",
            "otpPolicyInitialCounter": 0,
            "otpPolicyDigits": 6,
            "otpPolicyLookAheadWindow": 1,
            "otpPolicyPeriod": 30,
            "roles": {"realm": [{"name": role} for role in roles]},
            "users": [_user(member) for member in self.members],
            "clients": [_client(self), *_signing_clients(self)],
            "components": {"org.keycloak.userprofile.UserProfileProvider": [_PROFILE]},
            "authenticationFlows": _FLOWS,
            "authenticatorConfig": _CONFIGS,
            "browserFlow": _FLOW,
        }


def _user(member: Member) -> dict[str, Any]:
    return {
        "username": member.name,
        "enabled": True,
        "firstName": "Test",
        "lastName": member.name.capitalize(),
        "email": f"{member.name}@example.org",
        "emailVerified": True,
        "realmRoles": list(member.roles),
        "attributes": {"organisation": list(member.organisations)},
        "credentials": [
            {"type": "password", "value": member.password},
            {
                "type": "otp",
                "secretData": json.dumps({"value": member.totp_secret}),
                "credentialData": json.dumps(
                    {"subType": "totp", "digits": 6, "counter": 0, "period": 30, "algorithm": "HmacSHA1"}
                ),
            },
        ],
    }


def _client(realm: Realm) -> dict[str, Any]:
    return {
        "clientId": realm.client_id,
        "secret": realm.client_secret,
        "enabled": True,
        "protocol": "openid-connect",
        "publicClient": False,
        "standardFlowEnabled": True,
        "directAccessGrantsEnabled": False,
        "redirectUris": list(realm.redirect_uris),
        "attributes": {
            "pkce.code.challenge.method": "S256",
            "post.logout.redirect.uris": "+",
            "backchannel.logout.session.required": "true",
        },
        "protocolMappers": [
            _mapper("roles", "oidc-usermodel-realm-role-mapper", {"multivalued": "true"}),
            _mapper(
                "organisation",
                "oidc-usermodel-attribute-mapper",
                {"user.attribute": "organisation", "multivalued": "true"},
            ),
            _mapper("amr", "oidc-amr-mapper", {}),
        ],
    }


def _signing_clients(realm: Realm) -> list[dict[str, Any]]:
    if realm.signing_client is None:
        return []
    described = _client(realm)
    keys = {"use.jwks.string": "true", "jwks.string": realm.signing_jwks}
    return [
        described
        | {
            "clientId": realm.signing_client,
            "secret": None,
            "clientAuthenticatorType": "client-jwt",
            "attributes": described["attributes"] | keys,
        }
    ]


def _mapper(claim: str, kind: str, config: Mapping[str, str]) -> dict[str, Any]:
    return {
        "name": claim,
        "protocol": "openid-connect",
        "protocolMapper": kind,
        "config": {"claim.name": claim, "jsonType.label": "String", "id.token.claim": "true", **config},
    }


_PROFILE = {
    "providerId": "declarative-user-profile",
    "config": {
        "kc.user.profile.config": [
            json.dumps(
                {
                    "attributes": [{"name": name} for name in ("username", "email", "firstName", "lastName")],
                    "unmanagedAttributePolicy": "ENABLED",
                }
            )
        ]
    },
}


def _step(authenticator: str, requirement: str, priority: int, config: str | None = None) -> dict[str, Any]:
    step: dict[str, Any] = {
        "authenticator": authenticator,
        "authenticatorFlow": False,
        "requirement": requirement,
        "priority": priority,
    }
    return step if config is None else step | {"authenticatorConfig": config}


def _part(alias: str, requirement: str, priority: int) -> dict[str, Any]:
    return {
        "flowAlias": alias,
        "authenticatorFlow": True,
        "requirement": requirement,
        "priority": priority,
    }


def _flow(alias: str, *steps: dict[str, Any], top: bool = False) -> dict[str, Any]:
    return {
        "alias": alias,
        "providerId": "basic-flow",
        "topLevel": top,
        "builtIn": False,
        "authenticationExecutions": list(steps),
    }


_FLOWS = [
    _flow(
        _FLOW,
        _step("auth-cookie", "ALTERNATIVE", 10),
        _part("both factors", "ALTERNATIVE", 20),
        top=True,
    ),
    _flow("both factors", _part("a password", "CONDITIONAL", 10), _part("a code", "CONDITIONAL", 20)),
    _flow(
        "a password",
        _step("conditional-level-of-authentication", "REQUIRED", 10, "level 1"),
        _step("auth-username-password-form", "REQUIRED", 20, "is a password"),
    ),
    _flow(
        "a code",
        _step("conditional-level-of-authentication", "REQUIRED", 10, "level 2"),
        _step("auth-otp-form", "REQUIRED", 20, "is a code"),
    ),
]
_CONFIGS = [
    {"alias": "level 1", "config": {"loa-condition-level": "1", "loa-max-age": "36000"}},
    {"alias": "level 2", "config": {"loa-condition-level": "2", "loa-max-age": "300"}},
    {
        "alias": "is a password",
        "config": {"default.reference.value": "pwd", "default.reference.maxAge": "300"},
    },
    {"alias": "is a code", "config": {"default.reference.value": "otp", "default.reference.maxAge": "300"}},
]

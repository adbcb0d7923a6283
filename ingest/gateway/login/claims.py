"""What the claims of an OpenID provider give: who has shown two factors, and who may act as what, where."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast
from uuid import UUID

from models.access import Role
from models.errors import RefuseToStart

Claims = Mapping[str, Any]

SECOND_FACTORS = frozenset({"mfa", "otp", "hwk", "sc"})
"""Values of `amr` that show more than a password (RFC 8176): several, a code, a hardware key, a card."""

WORTHLESS_ACR = frozenset({"0"})
"""OpenID Connect Core, section 2: not even good enough for anything that costs money."""


class ClaimsRefused(Exception):
    """Who logged in well, and may not work with us; the text is a word of ours, no value of theirs."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role at an organisation."""

    role: Role
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class ClaimMap:
    """How claims are read."""

    acr_values: Sequence[str]
    role_claim: str = "roles"
    organisation_claim: str = "organisation"
    roles: Mapping[str, Role] = field(
        default_factory=lambda: {role.value: role for role in Role if role is not Role.SERVICE}
    )
    organisations: Mapping[str, UUID] = field(default_factory=dict[str, UUID])
    """Where it is empty, the claim holds our own ids."""


def require_second_factor(claims: Claims, acr_values: Sequence[str]) -> str:
    """By what two factors were shown, as an audit row says it. **Raises**: ClaimsRefused.

    >>> require_second_factor({"amr": ["pwd", "otp"]}, ["gold"])
    'amr'
    """
    acr = claims.get("acr")
    if isinstance(acr, str) and acr in acr_values:
        return "acr"
    if SECOND_FACTORS & set(_texts(claims.get("amr"))):
        return "amr"
    raise ClaimsRefused("no_second_factor")


def grants_of(claims: Claims, mapping: ClaimMap) -> list[Grant]:
    """As what somebody may act, in the order of the claims; unknown values give nothing.

    Several roles at several organisations cannot be told apart in two claims: refused, not multiplied.

    **Raises**: ClaimsRefused when no role or no organisation is left.
    """
    named_roles = _texts(_at(claims, mapping.role_claim))
    roles = list(dict.fromkeys(mapping.roles[name] for name in named_roles if name in mapping.roles))
    if not roles:
        raise ClaimsRefused("unknown_role")
    organisations: list[UUID] = []
    for name in _texts(_at(claims, mapping.organisation_claim)):
        found = mapping.organisations.get(name) if mapping.organisations else _as_id(name)
        if found is not None and found not in organisations:
            organisations.append(found)
    if not organisations:
        raise ClaimsRefused("unknown_organisation")
    if len(roles) > 1 and len(organisations) > 1:
        raise ClaimsRefused("ambiguous_roles")
    return [Grant(role, organisation) for organisation in organisations for role in roles]


def name_of(claims: Claims) -> str:
    """What to call somebody: their name, or that they have none."""
    for claim in ("name", "preferred_username"):
        value = claims.get(claim)
        if isinstance(value, str) and value.strip():
            return value.strip()[:200]
    return "-"


def read_roles(text: str) -> dict[str, Role]:
    """The mapping of roles in a setting: `THEIRS=ours`, several separated by commas.

    **Raises**: RefuseToStart for a role that we do not have, and for that of systems.

    >>> read_roles("Verpleegkundige=nurse")
    {'Verpleegkundige': <Role.NURSE: 'nurse'>}
    """
    ours = {role.value: role for role in Role if role is not Role.SERVICE}
    found: dict[str, Role] = {}
    for theirs, name in _pairs(text, "THUISWACHT_OIDC_ROLES"):
        if name not in ours:
            raise RefuseToStart(
                f"THUISWACHT_OIDC_ROLES maps to the unknown role {name}: use one of {', '.join(ours)}."
            )
        found[theirs] = ours[name]
    return found


def read_organisations(text: str) -> dict[str, UUID]:
    """The mapping of organisations in a setting: `THEIRS=id`. **Raises**: RefuseToStart."""
    found: dict[str, UUID] = {}
    for theirs, name in _pairs(text, "THUISWACHT_OIDC_ORGANISATIONS"):
        organisation_id = _as_id(name)
        if organisation_id is None:
            raise RefuseToStart(
                f"THUISWACHT_OIDC_ORGANISATIONS maps to {name}: use the id of an organisation, a UUID."
            )
        found[theirs] = organisation_id
    return found


def _pairs(text: str, variable: str) -> list[tuple[str, str]]:
    pairs: list[tuple[str, str]] = []
    for part in filter(None, map(str.strip, text.split(","))):
        theirs, separator, ours = part.rpartition("=")
        if not separator or not theirs.strip() or not ours.strip():
            raise RefuseToStart(f"{variable} must be THEIRS=OURS, several separated by commas; found {part}.")
        pairs.append((theirs.strip(), ours.strip()))
    return pairs


def _at(claims: Claims, path: str) -> object:
    """The claim of that name, or at that path of names with dots between."""
    if path in claims:
        return claims[path]
    found: object = claims
    for name in path.split("."):
        if not isinstance(found, dict):
            return None
        found = cast("dict[str, object]", found).get(name)
    return found


def _texts(value: object) -> list[str]:
    """A claim of one text, or a list of them; anything else is none."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, list):
        return [one for one in cast("list[object]", value) if isinstance(one, str)]
    return []


def _as_id(text: str) -> UUID | None:
    try:
        return UUID(text)
    except ValueError:
        return None

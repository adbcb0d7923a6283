"""What a policy, a roster or the list said under a version never changes once an alert went by it."""

import json
from collections.abc import Callable, Iterable, Mapping, Sequence

from pydantic import TypeAdapter, ValidationError

from alerting.escalation.parts import hash_of
from alerting.escalation.policy import Policies, Policy
from alerting.escalation.policy_content import content_of_policy
from alerting.escalation.roster import Roster, RosterBook
from alerting.escalation.teleconsultation import Teleconsultation
from models.db import policies as stored
from models.db.policies import PolicyKind, PolicyVersion
from models.db.pool import Connection
from models.errors import RefuseToStart


async def require_recorded(connection: Connection, ours: Sequence[PolicyVersion]) -> None:
    """Makes sure, at a start, that what was gone by is what it was. **Raises**: as `use`."""
    require_unchanged(await stored.recorded(connection), ours)


async def use(connection: Connection, ours: Sequence[PolicyVersion]) -> None:
    """Records versions as used, within the transaction of what goes by them.

    **Raises**: RefuseToStart when one of them was another when it was used first.
    """
    require_unchanged(await stored.record(connection, ours), ours)


def require_unchanged(used: Sequence[PolicyVersion], ours: Iterable[PolicyVersion]) -> None:
    """Compares what was recorded with what this service goes by. **Raises**: as `use`."""
    now = {one.key: one for one in ours}
    changed = [was for was in used if was.key in now and _is_another(was, now[was.key])]
    if changed:
        names = ", ".join(f"{was.kind} {was.name} version {was.version}" for was in changed)
        hashes = ", ".join(f"{was.hash[:12]}… then, {now[was.key].hash[:12]}… now" for was in changed)
        raise RefuseToStart(
            f"{names} is not what it was when alerts first went by it ({hashes}). A version never changes "
            "once it is used: restore its file (its content is in the table policy_version) and put the "
            "change into a new version."
        )


def of_policies(policies: Policies | Iterable[Policy]) -> list[PolicyVersion]:
    """Policies as they are recorded, each once."""
    each = policies.by_key.values() if isinstance(policies, Policies) else policies
    versions = {
        (one.name, one.version): PolicyVersion(
            PolicyKind.POLICY, one.name, one.version, one.hash, content_of_policy(one)
        )
        for one in each
    }
    return list(versions.values())


def of_rosters(book: RosterBook) -> list[PolicyVersion]:
    """Rosters as they are recorded."""
    return [
        PolicyVersion(PolicyKind.ROSTER, one.roster, one.version, one.hash, one.content)
        for one in book.rosters
    ]


def of_list(listed: Teleconsultation) -> PolicyVersion:
    """The list of teleconsultation as it is recorded."""
    return PolicyVersion(
        PolicyKind.TELECONSULTATION, listed.teleconsultation, listed.version, listed.hash, listed.content
    )


_POLICY = TypeAdapter(Policy)


def _policy_again(content: dict[str, object]) -> str:
    return content_of_policy(_POLICY.validate_python({"name": "", "version": 0, "hash": "", **content}))


def _roster_again(content: dict[str, object]) -> str:
    return Roster.model_validate(content).content


def _list_again(content: dict[str, object]) -> str:
    return Teleconsultation.model_validate(content).content


_AGAIN: Mapping[PolicyKind, Callable[[dict[str, object]], str]] = {
    PolicyKind.POLICY: _policy_again,
    PolicyKind.ROSTER: _roster_again,
    PolicyKind.TELECONSULTATION: _list_again,
}
"""How this program reads what was recorded, and would write it."""


def _is_another(was: PolicyVersion, now: PolicyVersion) -> bool:
    if was.hash == now.hash:
        return False
    # A newer program may write the same version in another way: what counts is how it reads what it was.
    try:
        return hash_of(_AGAIN[was.kind](json.loads(was.content))) != now.hash
    except ValidationError:
        return True

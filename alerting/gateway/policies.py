"""Routes of policies and rosters, as they are in force: who is asked when, and who is on duty."""

from typing import Annotated, Any

from fastapi import Query
from pydantic import AwareDatetime

from alerting.escalation.choice import ANY_PROGRAMME
from alerting.escalation.policy import Policy
from alerting.gateway.rules import ByRules
from alerting.worklist.structure import of_policy
from ingest.gateway.routes import Act, Routes
from models.access import Action
from models.audit import Kind
from models.clock import to_datetime, to_us
from models.db.positions import dispatch_now_us
from models.errors import NotThere
from models.escalations import Recipient

policies = Routes("/policies", "policies")
rosters = Routes("/rosters", "rosters")


@policies.route("GET", "", action=Action.POLICY_READ, kind=Kind.READ)
async def list_policies(act: Act, rules: ByRules) -> dict[str, Any]:  # noqa: ARG001 (who looks, is on record)
    """Which policy is for which programme, signal and severity; the most exact entry counts."""
    entries = [
        {
            "programme": None if programme == ANY_PROGRAMME else programme,
            "signal": signal,
            "severity": severity,
            "policy": policy.name,
            "version": policy.version,
        }
        for (programme, signal, severity), policy in rules.policies.by_key.items()
    ]
    return {"entries": entries, "policies": [of_policy(one) for one in _each(rules.policies.by_key.values())]}


@policies.route("GET", "/{name}", action=Action.POLICY_READ, kind=Kind.READ)
async def show_policy(act: Act, rules: ByRules, name: str) -> dict[str, Any]:  # noqa: ARG001 (as above)
    """One policy with its steps."""
    found = next((one for one in rules.policies.by_key.values() if one.name == name), None)
    if found is None:
        raise NotThere("There is no such policy in force.")
    return of_policy(found)


@rosters.route("GET", "", action=Action.POLICY_READ, kind=Kind.READ)
async def list_rosters(act: Act, rules: ByRules) -> dict[str, Any]:  # noqa: ARG001 (as above)
    """Who is on duty at which local times, as the files say it."""
    return {
        "rosters": [
            {**one.model_dump(mode="json", by_alias=True), "hash": one.hash} for one in rules.rosters.rosters
        ]
    }


@rosters.route("GET", "/on-duty", action=Action.POLICY_READ, kind=Kind.READ)
async def on_duty(
    act: Act,
    rules: ByRules,
    at: Annotated[AwareDatetime | None, Query(description="Now, if left out.")] = None,
) -> dict[str, Any]:
    """Who answers for each recipient at a moment, and until when."""
    at_us = await dispatch_now_us(act.connection, rules.settings) if at is None else to_us(at)
    duties = {recipient: rules.rosters.on_duty(recipient, at_us) for recipient in Recipient}
    return {
        "at": to_datetime(at_us),
        "on_duty": {
            recipient: {
                "by": duty.recipient,
                "duty": duty.name,
                "shift": duty.shift,
                "from": to_datetime(duty.from_us),
                "until": to_datetime(duty.until_us),
            }
            for recipient, duty in duties.items()
        },
    }


def _each(policies: Any) -> list[Policy]:
    return list({one.label: one for one in policies}.values())

"""What a transaction is made of: an escalation, or what became of it, with everything that it rests on."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from models.alerts import Alert
from models.escalations import Escalation, Message
from models.findings import Finding


@dataclass(frozen=True, slots=True)
class Written:
    """The letter: in Dutch as text, and as PDF where there is one."""

    text: str
    pdf: bytes | None = None


@dataclass(frozen=True, slots=True)
class Named:
    """Somebody, or an organisation, by id and name."""

    id_: UUID
    name: str | None = None
    telephone: str | None = None


@dataclass(frozen=True, slots=True)
class Handed:
    """Everything that a transaction says. **Units**: `now_us` in microseconds since 1970 UTC.

    `escalations`: first that of the message, then those that joined it. `readings` are those behind the
    findings, as rows of their table in JSON. `asked_by` is a person; None: the ladder. `answers_at` is where
    the status of Tasks comes back. `release` names the version of this service.
    """

    message: Message
    alerts: tuple[Alert, ...]
    escalations: tuple[Escalation, ...]
    findings: tuple[Finding, ...]
    readings: tuple[Mapping[str, Any], ...]
    sender: Named
    to: Named
    asked_by: Named | None
    written: Written
    answers_at: str | None
    release: str
    now_us: int

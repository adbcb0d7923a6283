"""What a shadow found into its own table: no alert follows from it, nothing is asked and nobody is told."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from alerting.findings import FindingChange, fold
from alerting.ledger import Stretch, looks_back_to_us
from models.db import shadow_findings
from models.db.pool import Connection
from models.findings import Finding


@dataclass(slots=True)
class Booked:
    """Findings as they are now, by patient; `contradictions`: who is to be evaluated again, and why."""

    findings: dict[UUID, dict[UUID, Finding]]
    changes: list[FindingChange] = field(default_factory=list[FindingChange])
    contradictions: dict[UUID, str] = field(default_factory=dict[UUID, str])

    @classmethod
    def of(cls, findings: Iterable[Finding]) -> "Booked":
        """From what is stored."""
        booked = cls({})
        for finding in findings:
            booked.findings.setdefault(finding.patient_id, {})[finding.finding_id] = finding
        return booked

    def take(self, stretch: Stretch) -> None:
        """Carries one stretch of one patient through; stretches of a patient in the order of the log."""
        patient_id = stretch.verdict.patient_id
        if patient_id in self.contradictions:
            return
        own = self.findings.setdefault(patient_id, {})
        folded = fold(own.values(), stretch.verdict)
        if folded.contradiction is not None:
            self.contradictions[patient_id] = folded.contradiction
            return
        for change in folded.changes:
            own[change.after.finding_id] = change.after
        self.changes += folded.changes

    def changed(self) -> Sequence[Finding]:
        """The findings to be written, as they are now."""
        return list({change.after.finding_id: change.after for change in self.changes}.values())


async def book(connection: Connection, group: str, stretches: Sequence[Stretch]) -> Booked:
    """Carries stretches through, in their order, within the transaction of whoever calls."""
    said = [stretch for stretch in stretches if _says_something(stretch)]
    if not said:
        return Booked.of(())
    booked = Booked.of(await shadow_findings.load(connection, group, looks_back_to_us(said)))
    for stretch in said:
        booked.take(stretch)
    await shadow_findings.write(connection, group, booked.changed())
    return booked


def _says_something(stretch: Stretch) -> bool:
    """Whether it is about findings: others are about a pause, a remark, or a measurement asked for."""
    return bool(stretch.verdict.transitions) or stretch.verdict.replayed_from_us is not None

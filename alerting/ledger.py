"""A batch carried through for each patient, stretch by stretch, from verdicts to the rows to write; pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from alerting.because import Because
from alerting.circumstances import Turn
from alerting.engine.verdict import What
from alerting.findings import FindingChange, PatientVerdict, fold
from alerting.lifecycle import Book, Joined, MayClose, by_any_policy, follow
from alerting.remarks import Remark
from models.alerts import Alert, AlertHappening
from models.findings import Finding
from models.messages import Origin
from models.requests import MeasurementRequest, Requested


@dataclass(frozen=True, slots=True)
class Stretch:
    """What concerns one patient between two clock messages.

    `because` says why the patient was evaluated again, where so. `requests` are those whose status changed,
    in order; with `from_scratch` they are all that there are. `remarks` are in the order of the log.
    **Units**: followed from `since_us` (exclusive) to `now_us`, microseconds since 1970 UTC.
    """

    verdict: PatientVerdict
    origin: Origin
    timeline: Sequence[Turn]
    since_us: int
    now_us: int
    requests: tuple[Requested, ...] = ()
    from_scratch: bool = False
    because: Because = field(default_factory=dict[str, object])
    remarks: tuple[Remark, ...] = ()


def looks_back_to_us(stretches: Iterable[Stretch]) -> dict[UUID, int]:
    """From when on the findings of each patient are needed, so that `Ledger.take` decides rightly.

    **Units**: microseconds since 1970 UTC.
    """
    needed: dict[UUID, int] = {}
    for stretch in stretches:
        verdict = stretch.verdict
        moments = [stretch.now_us, needed.get(verdict.patient_id, stretch.now_us)]
        if verdict.replayed_from_us is not None:
            moments.append(verdict.replayed_from_us)
        moments += [t.opened_at_us - t.rule.cooldown_us for t in verdict.transitions if t.what is What.OPEN]
        needed[verdict.patient_id] = min(moments)
    return needed


@dataclass(slots=True)
class Ledger:
    """The stored findings and alerts of the patients of a batch, and what the batch makes of them.

    `reasons` are pairs of finding and alert, the latest last. `from_scratch` are patients of whom everything
    was said anew, and when. `heard` are the remarks that are in an alert already.
    """

    findings: dict[UUID, dict[UUID, Finding]]
    alerts: dict[UUID, dict[UUID, Alert]]
    links: dict[UUID, dict[UUID, UUID]]
    heard: set[UUID] = field(default_factory=set[UUID])
    may_close: MayClose = by_any_policy
    contradictions: dict[UUID, str] = field(default_factory=dict[UUID, str])
    changes: list[FindingChange] = field(default_factory=list[FindingChange])
    events: list[AlertHappening] = field(default_factory=list[AlertHappening])
    from_scratch: dict[UUID, int] = field(default_factory=dict[UUID, int])
    _requests: dict[tuple[UUID, str, int], MeasurementRequest] = field(
        default_factory=dict[tuple[UUID, str, int], MeasurementRequest]
    )
    _changed_findings: dict[UUID, Finding] = field(default_factory=dict[UUID, Finding])
    _changed_alerts: dict[UUID, Alert] = field(default_factory=dict[UUID, Alert])
    _joined: dict[tuple[UUID, UUID], tuple[UUID, Joined]] = field(
        default_factory=dict[tuple[UUID, UUID], tuple[UUID, Joined]]
    )

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        alerts: Iterable[Alert],
        reasons: Iterable[tuple[UUID, UUID, UUID]],
        heard: Iterable[UUID] = (),
        may_close: MayClose = by_any_policy,
    ) -> "Ledger":
        """From what is stored; `reasons` are patient, finding and alert."""
        ledger = cls({}, {}, {}, set(heard), may_close)
        for finding in findings:
            ledger.findings.setdefault(finding.patient_id, {})[finding.finding_id] = finding
        for alert in alerts:
            ledger.alerts.setdefault(alert.patient_id, {})[alert.alert_id] = alert
        for patient_id, finding_id, alert_id in reasons:
            ledger.links.setdefault(patient_id, {})[finding_id] = alert_id
        return ledger

    def take(self, stretch: Stretch, ids: Iterator[UUID]) -> None:
        """Carries one stretch of one patient through; stretches of a patient in the order of the log.

        Where engine and store contradict each other, `contradictions` names the patient and nothing of
        this verdict is taken over: the patient is to be evaluated again. Remarks are heard all the same: the
        engine has nothing to say of them.
        """
        patient_id = stretch.verdict.patient_id
        findings = self.findings.setdefault(patient_id, {})
        folded = None
        if patient_id not in self.contradictions:
            folded = fold(findings.values(), stretch.verdict)
            if folded.contradiction is not None:
                self.contradictions[patient_id] = folded.contradiction
                folded = None
        if folded is not None:
            self._follow(stretch, folded.changes, ids)
            self._ask(stretch)
        elif stretch.remarks:
            self._follow(stretch, (), ids)

    def _follow(self, stretch: Stretch, changes: Sequence[FindingChange], ids: Iterator[UUID]) -> None:
        """What changed in the findings of the stretch's patient, and what they wrote, to their alerts."""
        patient_id = stretch.verdict.patient_id
        findings = self.findings.setdefault(patient_id, {})
        alerts = self.alerts.setdefault(patient_id, {})
        links = self.links.setdefault(patient_id, {})
        book = Book(
            patient_id,
            stretch.verdict.organisation_id,
            stretch.origin,
            stretch.timeline,
            findings,
            alerts,
            links,
            stretch.because,
            self.may_close,
        )
        told = follow(
            book,
            changes,
            since_us=stretch.since_us,
            now_us=stretch.now_us,
            ids=ids,
            remarks=self._unheard(stretch.remarks),
        )
        for change in changes:
            findings[change.after.finding_id] = self._changed_findings[change.after.finding_id] = change.after
        for alert in told.alerts:
            alerts[alert.alert_id] = self._changed_alerts[alert.alert_id] = alert
        for joined in told.joined:
            links[joined.finding_id] = joined.alert_id
            self._joined[joined.alert_id, joined.finding_id] = (patient_id, joined)
        self.changes += changes
        self.events += told.events

    def _unheard(self, remarks: Sequence[Remark]) -> list[Remark]:
        """Each remark once, however often it was sent; from now on they are heard."""
        new = {said.remark_id: said for said in reversed(remarks) if said.remark_id not in self.heard}
        self.heard |= new.keys()
        return list(reversed(new.values()))

    def _ask(self, stretch: Stretch) -> None:
        """Of what was said of a request the last counts."""
        verdict = stretch.verdict
        if stretch.from_scratch:
            self.from_scratch[verdict.patient_id] = stretch.now_us
        for said in stretch.requests:
            self._requests[verdict.patient_id, said.kind, said.taken_at_us] = MeasurementRequest(
                patient_id=verdict.patient_id,
                organisation_id=verdict.organisation_id,
                origin=stretch.origin,
                log_partition=verdict.log_partition,
                kind=said.kind,
                taken_at_us=said.taken_at_us,
                due_us=said.due_us,
                reason=said.reason,
                status=said.status,
                value=said.value,
                former=said.former,
                said_at_us=stretch.now_us,
            )

    def requests(self) -> Sequence[MeasurementRequest]:
        """The measurement requests whose status changed, as they are now."""
        return list(self._requests.values())

    def changed_findings(self) -> Sequence[Finding]:
        """The findings to be written, as they are now."""
        return list(self._changed_findings.values())

    def changed_alerts(self) -> Sequence[Alert]:
        """The alerts to be written, as they are now."""
        return list(self._changed_alerts.values())

    def joined(self) -> Sequence[tuple[UUID, Joined]]:
        """The new reasons of alerts, each with its patient."""
        return list(self._joined.values())

    def alerts_by_id(self) -> Mapping[UUID, Alert]:
        """The alerts that changed, by their ids."""
        return self._changed_alerts

"""Stretches of evaluation into the database: what is stored, what becomes of it, written back."""

from collections.abc import Iterator, Sequence
from uuid import UUID, uuid4

from alerting.findings import FindingChange
from alerting.ledger import Ledger, Stretch, looks_back_to_us
from alerting.lifecycle import MayClose
from models import metrics
from models.alerts import AlertEvent
from models.db.alerts import Reason, load_alerts, load_heard, load_reasons, write_alerts
from models.db.findings import load_findings, write_findings
from models.db.pool import Connection
from models.db.requests import withdraw_others, write_requests
from models.messages import Origin
from models.programmes import CANARY


async def book(connection: Connection, stretches: Sequence[Stretch], may_close: MayClose) -> Ledger:
    """Carries stretches through, in their order, within the transaction of whoever calls."""
    if not stretches:
        return Ledger.of((), (), ())
    since_us = looks_back_to_us(stretches)
    alerts = await load_alerts(connection, since_us)
    reasons = await load_reasons(connection, alerts)
    named = [(reason.patient_id, reason.finding_id) for reason in reasons]
    findings = await load_findings(connection, since_us, named)
    remarks = {said.remark_id: s.verdict.patient_id for s in stretches for said in s.remarks}
    heard = await load_heard(connection, remarks)
    links = ((r.patient_id, r.finding_id, r.alert_id) for r in reasons)
    ledger = Ledger.of(findings, alerts, links, heard, may_close)
    ids = _new_ids()
    for stretch in stretches:
        ledger.take(stretch, ids)
    await write_findings(connection, ledger.changed_findings())
    joined = [
        Reason(patient_id, joined.alert_id, joined.finding_id, joined.at_us)
        for patient_id, joined in ledger.joined()
    ]
    await write_alerts(connection, ledger.changed_alerts(), joined, ledger.events)
    requests = ledger.requests()
    await write_requests(connection, requests)
    for patient_id, now_us in ledger.from_scratch.items():
        still = [request for request in requests if request.patient_id == patient_id]
        await withdraw_others(connection, patient_id, now_us, still)
    return ledger


def count(ledger: Ledger) -> int:
    """Adds what was committed to the metrics, but for canaries; gives the number of alerts opened."""
    for change in ledger.changes:
        after = change.after
        if after.programme == CANARY:
            continue
        for event in happened(change):
            metrics.ALERTING_FINDINGS.labels(event, after.programme, after.rule, after.severity).inc()
    for request in ledger.requests():
        metrics.ALERTING_REQUESTS.labels(request.kind, request.status).inc()
    alerts = ledger.alerts_by_id()
    opened = 0
    for event in ledger.events:
        alert = alerts.get(event.alert_id)
        if alert is not None and alert.origin is Origin.CANARY:
            continue
        opened += event.event is AlertEvent.OPENED
        if alert is not None:
            metrics.ALERTING_ALERTS.labels(event.event, alert.signal, alert.severity).inc()
    return opened


def happened(change: FindingChange) -> Iterator[str]:
    """What a change did to a finding, in the words of the metrics."""
    before, after = change.before, change.after
    if after.retracted:
        if before is not None and not before.retracted:
            yield "retracted"
        return
    if before is None or before.retracted:
        yield "opened"
    if after.raised_at_us is not None and (before is None or before.raised_at_us is None):
        yield "raised"
    if after.cleared_at_us is not None and (before is None or before.cleared_at_us is None):
        yield "cleared"


def _new_ids() -> Iterator[UUID]:
    while True:
        yield uuid4()

"""Runs the real engine over a log of messages in given batches, and folds its verdicts into findings."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from uuid import UUID

import numpy as np

from alerting.engine.compiled import CompiledProgrammes, compile_programmes
from alerting.engine.engine import Engine
from alerting.engine.programme import Programme
from alerting.engine.verdict import NO_CLOCK, Transition, Verdict, What
from models.columns import NO_OFFSET_MIN, Readings
from models.findings import finding_id
from models.kinds import KIND_BY_NAME
from models.messages import AnyChange, Change, effective_from_us
from models.units import UNIT_BY_SPELLING, to_canonical
from tests.naive.changes import Message
from tests.naive.findings import Finding
from tests.naive.gate import Request
from tests.naive.readings import FUTURE_US, WEEK_US

NO_TEXT = -1


def columns(uploads: Sequence[tuple[int, Message]], rows: Mapping[str, int]) -> Readings:
    """Uploads, with their offsets, as decoding would give them."""
    flat = [(o, m, i, r) for o, m in uploads for i, r in enumerate(m["readings"])]
    flat = [x for x in flat if x[1]["received_at_us"] - x[3]["taken_at_us"] >= -FUTURE_US]
    n = len(flat)
    texts = tuple(sorted({m["device_id"] for _, m, _, _ in flat}))
    kind = np.array([KIND_BY_NAME[r["kind"]].number for *_, r in flat], np.int16)
    received = np.array([r.get("value", np.nan) for *_, r in flat], np.float64)
    unit = np.array([UNIT_BY_SPELLING[r["unit"]] if "unit" in r else -1 for *_, r in flat], np.int16)
    codes = [KIND_BY_NAME[r["kind"]].codes.index(r["code"]) if "code" in r else -1 for *_, r in flat]
    taken_at_us = np.array([r["taken_at_us"] for *_, r in flat], np.int64)
    received_at_us = np.array([m["received_at_us"] for _, m, _, _ in flat], np.int64)
    none = np.full(n, NO_TEXT, np.int32)
    return Readings(
        partition=0,
        texts=texts,
        offset=np.array([o for o, *_ in flat], np.int64),
        position=np.array([i for _, _, i, _ in flat], np.int32),
        patient=np.array([rows[m["patient_id"]] for _, m, _, _ in flat], np.int32),
        patient_id=np.zeros((n, 16), np.uint8),
        organisation_id=np.zeros((n, 16), np.uint8),
        upload_id=np.zeros((n, 16), np.uint8),
        kind=kind,
        taken_at_us=taken_at_us,
        device=np.array([texts.index(m["device_id"]) for _, m, _, _ in flat], np.int32),
        revision=np.array([r.get("revision", 0) for *_, r in flat], np.int32),
        void=np.array([bool(r.get("void")) for *_, r in flat], np.bool_),
        value=to_canonical(received, kind, unit),
        value_received=received,
        unit=unit,
        unit_received=none,
        code=np.array(codes, np.int16),
        code_received=none,
        absent=none,
        text=none,
        group=none,
        source=none,
        received_at_us=received_at_us,
        sent_at_us=received_at_us,
        utc_offset_min=np.full(n, NO_OFFSET_MIN, np.int16),
        too_late=received_at_us - taken_at_us > WEEK_US,
    )


class Run:
    """An engine, the log so far, and the findings that its verdicts add up to."""

    def __init__(self, programmes: Sequence[Programme] | CompiledProgrammes) -> None:
        compiled = (
            programmes if isinstance(programmes, CompiledProgrammes) else compile_programmes(programmes)
        )
        self.engine = Engine(compiled)
        self.rows: dict[str, int] = {}
        self.changes: dict[str, list[tuple[int, AnyChange]]] = {}
        self.known_changes: set[tuple[str, UUID]] = set()
        self.uploads: list[tuple[int, Message]] = []
        self.offset = 0
        self.now_us: int | None = None
        self.findings: dict[UUID, Finding] = {}
        self.requests: dict[tuple[str, str, int], Request] = {}
        self.rebuilt = 0
        self.replayed = 0

    def standing_requests(self) -> set[tuple[str, Request]]:
        """The requests that were not withdrawn, with their patients."""
        return {(k[0], request) for k, request in self.requests.items() if request.status != "withdrawn"}

    def batch(self, messages: Sequence[Message]) -> None:
        """Feeds one batch of messages."""
        new: list[tuple[int, Message]] = []
        for message in messages:
            self.offset += 1
            if message["type"] == "clock":
                self.now_us = message["now_us"]
            elif message["type"] == "change":
                self._change(message)
            elif message["patient_id"] in self.rows:
                new.append((self.offset, message))
        self.uploads += new
        verdict = self.engine.apply(columns(new, self.rows), NO_CLOCK if self.now_us is None else self.now_us)
        self._fold(verdict)
        for row in verdict.rebuild:
            self._rebuild(row)
        if len(messages) % 2:  # at any time without consequence
            self.engine.give_back(list(self.rows.values()))

    def _change(self, message: Message) -> None:
        change = Change.model_validate_json(json.dumps(message))
        patient_id = message["patient_id"]
        content = change.change.only
        if content is None or (patient_id not in self.rows and "register" not in message["change"]):
            return
        if (patient_id, change.change_id) in self.known_changes:
            return
        self.known_changes.add((patient_id, change.change_id))
        row = self.rows.setdefault(patient_id, len(self.rows))
        history = self.changes.setdefault(patient_id, [])
        history.append((effective_from_us(change, self.now_us), content))
        self.engine.change(row, UUID(patient_id), history)

    def _rebuild(self, row: int) -> None:
        """As a worker does from the database: from nothing, with readings in order of time.

        In two parts, but of what was taken at the same moment all in one.
        """
        self.rebuilt += 1
        patient_id = next(patient for patient, number in self.rows.items() if number == row)
        readings = columns([x for x in self.uploads if x[1]["patient_id"] == patient_id], self.rows)
        readings = readings.take(np.argsort(readings.taken_at_us, kind="stable"))
        self.engine.forget(row)
        self.findings = {i: f for i, f in self.findings.items() if f.patient_id != patient_id}
        self.requests = {key: request for key, request in self.requests.items() if key[0] != patient_id}
        taken_at_us = readings.taken_at_us
        half = np.count_nonzero(taken_at_us < taken_at_us[len(readings) // 2]) if len(readings) else 0
        for part in (readings.take(np.arange(half)), readings.take(np.arange(half, len(readings)))):
            verdict = self.engine.apply(part, NO_CLOCK)
            assert verdict.rebuild == ()
            self._fold(verdict)
        self._fold(self.engine.apply(None, NO_CLOCK if self.now_us is None else self.now_us))

    def _fold(self, verdict: Verdict) -> None:
        transitions = verdict.readable()
        patients = {row: patient for patient, row in self.rows.items()}
        for row, from_us in verdict.replayed:
            self.replayed += 1
            own = {i: f for i, f in self.findings.items() if f.patient_id == patients[row]}
            kept = {
                self._id(patients[row], x)
                for x in transitions
                if x.patient_row == row and x.what is What.KEEP
            }
            standing = {i for i, f in own.items() if f.opened_us <= from_us < (f.cleared_us or from_us + 1)}
            assert kept == standing, "the findings open at a snapshot"
            for later in (i for i, f in own.items() if f.opened_us > from_us):
                del self.findings[later]
        for asked in verdict.requests:
            key = patients[asked.patient_row], asked.kind, asked.taken_at_us
            self.requests[key] = Request(
                asked.kind, asked.taken_at_us, asked.due_us, asked.reason, asked.status.value
            )
        for transition in transitions:
            self._fold_one(patients[transition.patient_row], transition)

    @staticmethod
    def _id(patient_id: str, transition: Transition) -> UUID:
        rule = transition.rule
        return finding_id(UUID(patient_id), rule.programme, rule.rule, transition.opened_at_us)

    def _fold_one(self, patient_id: str, x: Transition) -> None:
        this = self._id(patient_id, x)
        values = tuple(evidence.value for evidence in x.evidence)
        if x.what is What.OPEN:
            name = f"{x.rule.programme}/{x.rule.rule}"
            assert this not in self.findings, "a finding opens once"
            self.findings[this] = Finding(
                this, patient_id, name, x.at_us, None, str(x.severity), values, None, (), x.unconfirmed
            )
            return
        finding = self.findings[this]
        assert finding.cleared_us is None or x.what is What.KEEP
        if x.what is What.RAISE:
            finding = replace(
                finding,
                severity=str(x.severity),
                raised_us=x.at_us,
                raised_values=values,
                unconfirmed=finding.unconfirmed or x.unconfirmed,
            )
        elif x.what is What.CLEAR:
            finding = replace(finding, cleared_us=x.at_us)
        else:
            finding = replace(finding, cleared_us=None, unconfirmed=x.unconfirmed)
            if not x.raised:
                finding = replace(finding, severity=str(x.severity), raised_us=None, raised_values=())
        self.findings[this] = finding


def engine_run(
    programmes: Sequence[Programme] | CompiledProgrammes, log: Sequence[Message], cuts: Sequence[int] = ()
) -> Run:
    """An engine after a log, fed in batches that end at the given places."""
    run = Run(programmes)
    ends = [*sorted(cut for cut in set(cuts) if 0 < cut < len(log)), len(log)]
    for start, end in zip([0, *ends], ends, strict=False):
        run.batch(log[start:end])
    return run


def engine_findings(
    programmes: Sequence[Programme] | CompiledProgrammes, log: Sequence[Message], cuts: Sequence[int] = ()
) -> set[Finding]:
    """The findings after a log."""
    return set(engine_run(programmes, log, cuts).findings.values())

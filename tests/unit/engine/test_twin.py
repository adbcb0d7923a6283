"""The kernel and its slow twin find the same in every log, however it is cut into batches and shuffled.

More examples on demand: tests/README.md.
"""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alerting.engine.compiled import compile_programmes
from alerting.engine.programme import Programme
from tests.examples import TIME_LIMIT_S, examples
from tests.naive.changes import Message
from tests.naive.engine_run import engine_findings, engine_run
from tests.naive.findings import Finding, naive_findings, naive_requests
from tests.naive.gate import Request
from tests.naive.random_logs import PATIENTS, clock, logs
from tests.naive.random_programmes import programmes
from tests.naive.readings import WEEK_US

pytestmark = pytest.mark.timeout(TIME_LIMIT_S)

SHUFFLES = 10


@dataclass(frozen=True)
class Case:
    """Programmes, a log, and where its batches end."""

    made: list[Programme]
    log: list[Message]
    cuts: list[int]

    def __repr__(self) -> str:
        """What a failure says; hypothesis refuses to print a log of a year."""
        rules = [f"{field}: {c}" for p in self.made for r in p.rules.values() for field, c in r.conditions()]
        return f"Case({str(rules)[:8_000]}, {str(self.log)[:20_000]}, cuts={str(self.cuts)[:1_000]})"


@st.composite
def cases(draw: st.DrawFn) -> Case:
    made = draw(programmes())
    log = draw(logs(made))
    cuts = draw(st.lists(st.integers(1, len(log)), max_size=8))
    return Case(made, log, cuts)


def shown(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.patient_id, f.opened_us, f.rule))


@given(cases())
@examples(300)
def test_kernel_and_twin_find_the_same(case: Case) -> None:
    made, log, cuts = case.made, case.log, case.cuts
    run = engine_run(made, log, cuts)
    assert shown(run.findings.values()) == shown(naive_findings(made, log))
    asked, doubtful = naive_requests(made, log), of_two_devices(log)
    found = run.standing_requests()
    assert {(p, r) for p, r in found if moment(p, r) not in doubtful} == {
        (p, r) for p, r in asked if moment(p, r) not in doubtful
    }


Moment = tuple[str, str, int]


def moment(patient_id: str, request: Request) -> Moment:
    return patient_id, request.kind, request.taken_at_us


def of_two_devices(log: list[Message]) -> set[Moment]:
    """At these moments a request does not say which of the readings it means."""
    identities = {
        (message["patient_id"], reading["kind"], reading["taken_at_us"], message["device_id"])
        for message in log
        for reading in message.get("readings", ())
    }
    moments = Counter(identity[:3] for identity in identities)
    return {moment for moment, devices in moments.items() if devices > 1}


def without_conflicts(uploads: list[Message]) -> list[Message]:
    """Of one identity and revision only what comes first, in time or not, so that the order may change."""
    seen: dict[tuple[object, ...], tuple[Message, bool]] = {}
    kept: list[Message] = []
    for upload in uploads:
        readings: list[Message] = []
        for reading in upload["readings"]:
            key = (
                upload["patient_id"], upload["device_id"], reading["kind"], reading["taken_at_us"],
                reading.get("revision", 0), "void" in reading,
            )  # fmt: skip
            this = reading, upload["received_at_us"] - reading["taken_at_us"] > WEEK_US
            if seen.setdefault(key, this) == this:
                readings.append(reading)
        if readings:
            kept.append({**upload, "readings": readings})
    return kept


@given(cases(), st.integers(0, 2**32))
@examples(150)
def test_findings_do_not_depend_on_the_order_of_arrival(case: Case, seed: int) -> None:
    """A thousand orders, some uploads twice; ten thousand with EXAMPLES_TIMES=10."""
    made, log, cuts = case.made, case.log, case.cuts
    changes = [message for message in log if message["type"] == "change"]
    uploads = without_conflicts([message for message in log if message["type"] == "upload"])
    ticks = [message["now_us"] for message in log if message["type"] == "clock"]
    end = [clock(max(ticks))] if ticks else []
    compiled, random = compile_programmes(made), Random(seed)
    in_order = shown(engine_findings(compiled, [*changes, *uploads, *end]))
    for _ in range(SHUFFLES):
        shuffled = [*uploads, *random.sample(uploads, len(uploads) // 4)]
        random.shuffle(shuffled)
        assert shown(engine_findings(compiled, [*changes, *shuffled, *end], cuts)) == in_order


@given(cases())
@examples(50)
def test_findings_do_not_depend_on_batches_and_workers(case: Case) -> None:
    """All in one batch, each message in its own, and each patient in an engine of their own."""
    made, log = case.made, case.log
    compiled = compile_programmes(made)
    at_once = shown(engine_findings(compiled, log))
    assert shown(engine_findings(compiled, log, range(len(log)))) == at_once
    apart = [
        finding
        for patient_id in PATIENTS
        for finding in engine_findings(
            compiled, [message for message in log if message.get("patient_id", patient_id) == patient_id]
        )
    ]
    assert shown(apart) == at_once

"""The kernel and its slow twin find the same in every log, however it is cut into batches and shuffled."""

from collections.abc import Iterable

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine.programme import Programme
from tests.naive.changes import Message
from tests.naive.engine_run import engine_findings
from tests.naive.findings import Finding, naive_findings
from tests.naive.random_logs import clock, logs, programmes
from tests.naive.readings import WEEK_US

Case = tuple[list[Programme], list[Message], list[int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    made = draw(programmes())
    log = draw(logs(sorted({p.programme for p in made})))
    cuts = draw(st.lists(st.integers(1, len(log)), max_size=len(log)))
    return made, log, cuts


def shown(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda f: (f.patient_id, f.opened_us, f.rule))


@given(cases())
@settings(deadline=None, max_examples=300)
def test_kernel_and_twin_find_the_same(case: Case) -> None:
    made, log, cuts = case
    assert shown(engine_findings(made, log, cuts)) == shown(naive_findings(made, log))


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


@given(cases(), st.data())
@settings(deadline=None, max_examples=150)
def test_findings_do_not_depend_on_the_order_of_arrival(case: Case, data: st.DataObject) -> None:
    made, log, cuts = case
    changes = [message for message in log if message["type"] == "change"]
    uploads = without_conflicts([message for message in log if message["type"] == "upload"])
    ticks = [message["now_us"] for message in log if message["type"] == "clock"]
    end = [clock(max(ticks))] if ticks else []
    shuffled = data.draw(st.permutations([*uploads, *uploads[:3]]))
    in_order = engine_findings(made, [*changes, *uploads, *end])
    assert shown(engine_findings(made, [*changes, *shuffled, *end], cuts)) == shown(in_order)

"""The kernel and its slow twin find the same in every log, however it is cut into batches."""

from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from alerting.engine.programme import Programme
from tests.naive.changes import Message
from tests.naive.engine_run import engine_findings
from tests.naive.findings import naive_findings
from tests.naive.random_logs import logs, programmes

Case = tuple[list[Programme], list[Message], list[int]]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    made = draw(programmes())
    log = draw(logs(sorted({p.programme for p in made})))
    cuts = draw(st.lists(st.integers(1, len(log)), max_size=len(log)))
    return made, log, cuts


def shown(findings: Any) -> list[Any]:
    return sorted(findings, key=lambda f: (f.patient_id, f.opened_us, f.rule))


@given(cases())
@settings(deadline=None)
def test_kernel_and_twin_find_the_same(case: Case) -> None:
    made, log, cuts = case
    assert shown(engine_findings(made, log, cuts)) == shown(naive_findings(made, log))

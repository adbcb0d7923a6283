"""What the technical room shows of the whole flow, from what was heard and counted."""

from datetime import date

from alerting.console.delays import Delay, Heard, Stage
from alerting.console.technical.tables import by_reason, by_source, stands, total
from models.db.refused import Counted

TODAY = date(2026, 12, 1)
COUNTED = [
    Counted(date(2026, 12, 1), "sentinel", "vendor-a", 3, 1),
    Counted(date(2026, 11, 30), "sentinel", None, 2, 2),
    Counted(date(2026, 11, 20), "unknown_unit", "vendor-a", 9, 0),
]


def test_each_stage_says_whether_it_is_on_time() -> None:
    heard = {Stage.STORING: Heard(5, 4), Stage.ALERTING: Heard(6, 3), Stage.DISPATCHING: Heard()}
    told = stands(heard, [Delay(Stage.ALERTING, 2)], by_wall=True)
    assert [(one.stage, one.state, one.since_us, one.upto_us) for one in told] == [
        (Stage.STORING, "well", None, 4),
        (Stage.ALERTING, "late", 2, 3),
        (Stage.DISPATCHING, "never", None, None),
        (Stage.CANARY, "well", None, None),
    ]


def test_where_nothing_comes_in_both_that_read_are_late() -> None:
    heard = {Stage.STORING: Heard(5), Stage.ALERTING: Heard(6)}
    told = stands(heard, [Delay(Stage.LOG, 6)], by_wall=False)
    assert [one.state for one in told] == ["late", "late", "never", "off"]


def test_figures_hold_every_refusal_once_by_reason_and_by_source() -> None:
    assert [(name, one.refused, one.waiting) for name, one in by_reason(COUNTED, TODAY).items()] == [
        ("unknown_unit", 9, 0), ("sentinel", 5, 3)
    ]  # fmt: skip
    assert [(name, one.days[-2:]) for name, one in by_source(COUNTED, TODAY).items()] == [
        ("vendor-a", [0, 3]), (None, [2, 0])
    ]  # fmt: skip
    assert (total(COUNTED, TODAY).refused, total(COUNTED, TODAY).waiting) == (14, 3)
    assert total([], TODAY).refused == 0

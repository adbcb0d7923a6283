"""zen-engine: a decision for each reading, by a table of rules. It keeps nothing from one to the next.

So features over time come from elsewhere, here from a plain Python loop with a window for each feature, and
so does which finding is open. Both are part of the time; the share of the features is said.
"""

import time
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator
from importlib.metadata import version
from typing import Any

import numpy as np
import zen

from benchmarks.rules.peers.compared import RULES, Compared, Outcome, limits
from models.clock import DAY_US, HOUR_US
from models.kinds import KINDS

INPUTS = ("kind", "last", "rise_3d", "mean_7d", "mean_36h", "count_3d", "count_36h")
Row = dict[str, str]


def _rows() -> Iterator[Row]:
    """Conditions of the decision table, in whole millionths; what is left out is not looked at."""
    at = limits()
    for what, rise, mean, low, fast in (
        ("opens", f"> {at['gain']}", f">= {at['pressure_mean']}", f"< {at['oxygen_low']}", f"> {at['fast']}"),
        (
            "clears",
            f"<= {at['gain_over']}",
            f"< {at['pressure_mean_over']}",
            f">= {at['oxygen_over']}",
            f"<= {at['fast_over']}",
        ),
    ):
        yield _row(what, "weight_gain", "body_weight", rise_3d=rise, count_3d="> 1")
        yield _row(what, "pressure_mean", "systolic", mean_7d=mean)
        yield _row(what, "oxygen_low", "spo2", last=low)
        often = {"count_36h": f">= {at['often']}"} if what == "opens" else {}
        yield _row(what, "fast_heart", "pulse", mean_36h=fast, **often)
    jump = {"rise_3d": f">= {at['pressure_rise']}", "count_3d": "> 1"}
    yield _row("opens", "pressure_jump", "systolic", last=f">= {at['pressure_high']}", **jump)
    yield _row("clears", "pressure_jump", "systolic", last=f"< {at['pressure_high']}")


def _row(what: str, rule: str, kind: str, **conditions: str) -> Row:
    kind_is = {"kind": f'"{kind}"'}
    return {name: (kind_is | conditions).get(name, "") for name in INPUTS} | {
        "rule": f'"{rule}"',
        "opens": "true" if what == "opens" else "false",
    }


def _decision() -> dict[str, Any]:
    table = {
        "hitPolicy": "collect",
        "inputs": [{"id": name, "name": name, "field": name} for name in INPUTS],
        "outputs": [{"id": name, "name": name, "field": name} for name in ("rule", "opens")],
        "rules": [{"_id": str(number), **row} for number, row in enumerate(_rows())],
    }
    place = {"position": {"x": 0, "y": 0}}
    return {
        "nodes": [
            {"id": "in", "name": "in", "type": "inputNode", **place},
            {"id": "rules", "name": "rules", "type": "decisionTableNode", "content": table, **place},
            {"id": "out", "name": "out", "type": "outputNode", **place},
        ],
        "edges": [
            {"id": "first", "type": "edge", "sourceId": "in", "targetId": "rules"},
            {"id": "second", "type": "edge", "sourceId": "rules", "targetId": "out"},
        ],
    }


def found(given: Compared, patients: int) -> Outcome:
    """The first patients' findings, reading by reading."""
    given = given.of_first(patients)
    engine = zen.ZenEngine({"loader": {"type": "static", "content": {"compared": _decision()}}})
    begun_s, cpu_s = time.perf_counter(), time.process_time()
    contexts = list(_contexts(given))
    features_s = time.perf_counter() - begun_s
    opened = np.zeros((len(RULES), patients), np.int64)
    is_open: set[tuple[int, str]] = set()
    for patient, context in contexts:
        decided: dict[str, Any] = dict(engine.evaluate("compared", context))
        _turn(patient, decided["result"], is_open, opened)
    elapsed_s, cpu_s = time.perf_counter() - begun_s, time.process_time() - cpu_s
    how = (
        f"zen-engine {version('zen-engine')}, {patients:,} patients, a decision a reading; "
        f"{features_s / elapsed_s:.0%} of the time for features in plain Python"
    )
    return Outcome("zen-engine", how, len(given), elapsed_s, cpu_s, opened)


def _turn(patient: int, decided: list[dict[str, Any]], is_open: set[tuple[int, str]], opened: Any) -> None:
    """Opens and clears what a decision says; what opens wins, as the table has it first."""
    for row in decided:
        key = patient, row["rule"]
        if row["opens"] and key not in is_open:
            is_open.add(key)
            opened[RULES.index(row["rule"]), patient] += 1
        elif not row["opens"]:
            is_open.discard(key)


def _contexts(given: Compared) -> Iterator[tuple[int, dict[str, Any]]]:
    """Each reading's patient and features, in whole millionths."""
    seen: dict[tuple[int, int], tuple[list[int], list[float]]] = defaultdict(lambda: ([], []))
    for patient, kind, at_us, value in given.rows():
        times, values = seen[patient, kind]
        times.append(at_us)
        values.append(value)
        yield patient, _features(KINDS[kind].name, times, values)


def _features(kind: str, times: list[int], values: list[float]) -> dict[str, Any]:
    now_us, last = times[-1], values[-1]
    days_3, days_7, hours_36 = (
        values[bisect_right(times, now_us - window_us) :]
        for window_us in (3 * DAY_US, 7 * DAY_US, 36 * HOUR_US)
    )
    return {
        "kind": kind,
        "last": _millionths(last),
        "rise_3d": _millionths(last - min(days_3)),
        "mean_7d": _millionths(sum(days_7) / len(days_7)),
        "mean_36h": _millionths(sum(hours_36) / len(hours_36)),
        "count_3d": len(days_3),
        "count_36h": len(hours_36),
    }


def _millionths(value: float) -> int:
    return int(value * 1e6 + 0.5)

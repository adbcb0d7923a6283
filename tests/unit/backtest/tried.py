"""Backtests in memory, and what `evaluate` says of each of their versions, to be compared."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from alerting.backtest.files import Given, OfFiles
from alerting.backtest.found import NEVER_US, Found
from alerting.backtest.progress import Progress
from alerting.backtest.result import Backtest
from alerting.backtest.running import Threads, Tries, run
from alerting.backtest.versions import Version
from alerting.engine.programme import Programme
from alerting.offline.run import Wishes, evaluate
from models.clock import to_us
from models.findings import Severity

QUIET = Progress(quiet=True)


class One(NamedTuple):
    """A finding, as two runs are compared by it; `cleared_us` None while it holds."""

    patient: str
    programme: str
    version: int
    rule: str
    opened_us: int
    cleared_us: int | None
    severity: str
    quiet: bool


def backtested(
    given: Given, versions: Sequence[Version], *, threads: int = 2, tries: Tries | None = None
) -> Backtest:
    """All versions on files, in this process."""
    with Threads(threads) as workers:
        return run(OfFiles(given, versions, QUIET), tries or Tries(versions), workers, QUIET)


def ones(found: Found, patients: Sequence[str]) -> list[One]:
    """Columns as findings, in their order."""
    severities = sorted(Severity, key=lambda severity: severity.rank)
    return [
        One(
            patients[int(found.patient[row])],
            found.rules[int(found.rule[row])].programme,
            found.rules[int(found.rule[row])].version,
            found.rules[int(found.rule[row])].rule,
            int(found.opened_at_us[row]),
            None if found.cleared_at_us[row] == NEVER_US else int(found.cleared_at_us[row]),
            severities[int(found.severity[row])].value,
            bool(found.quiet[row]),
        )
        for row in range(len(found))
    ]


def evaluated(given: Given, programmes: Sequence[Programme], folder: Path) -> list[One]:
    """The same by `evaluate`, and quiet ones told one by one as the service does."""
    out = folder / "evaluated.ndjson"
    wishes = Wishes(
        programmes, given.readings, out, given.registrations, given.until_us, skip=True, threads=1
    )
    evaluate(wishes, print)
    lines = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    made = {(each.programme, each.version): each for each in programmes}
    found, before = list[One](), dict[tuple[str, str, str], Mapping[str, Any]]()
    for line in lines:
        rule = made[line["programme"], line["version"]].rules[line["rule"]]
        key = line["patient_id"], line["programme"], line["rule"]
        quiet = _quiet(line, before.get(key), rule.severity, rule.cooldown.us if rule.cooldown else 0)
        before[key] = line
        if line["unconfirmed"] and line["severity"] != "high":
            continue
        cleared_us = None if line["cleared_at"] is None else _us(line["cleared_at"])
        whose = line["patient_id"], line["programme"], line["version"], line["rule"]
        found.append(One(*whose, _us(line["opened_at"]), cleared_us, line["severity"], quiet))
    return found


def _quiet(
    line: Mapping[str, Any], other: Mapping[str, Any] | None, at_first: Severity, cooldown_us: int
) -> bool:
    if other is None or not cooldown_us:
        return False
    since_us = _us(line["opened_at"]) - _us(other["cleared_at"])
    return since_us <= cooldown_us and at_first.rank <= Severity(other["severity"]).rank


def _us(text: str) -> int:
    return to_us(datetime.fromisoformat(text))

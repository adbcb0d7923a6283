"""What decides is pure: time and chance come in as values, and nothing touches the world."""

import ast
from pathlib import Path

from tests.architecture.sources import ROOT, name, python_files

FORBIDDEN_MODULES = {
    "aiokafka",
    "asyncio",
    "asyncpg",
    "os",
    "random",
    "secrets",
    "socket",
    "subprocess",
    "threading",
    "time",
}
FORBIDDEN_CALLS = {"now", "today", "utcnow", "uuid1", "uuid4", "wall_now_us"}

IMPURE_MODELS = {
    "models/clock.py",  # the one place that reads the wall clock
    "models/logs.py",
    "models/metrics.py",
    "models/probes.py",
    "models/settings.py",
    "models/watchdog.py",
}
PURE_FOLDERS = (
    "alerting/acts/",
    "alerting/engine/",
    "alerting/lifecycle/",
    "ingest/delivery/fhir/",
    "ingest/delivery/vendors/",
)
IMPURE_EXPLAIN = {"alerting/explain/commands.py", "alerting/explain/stored.py"}
PURE_ELSEWHERE = {
    "alerting/backtest/alerts.py",
    "alerting/backtest/bootstrap.py",
    "alerting/backtest/cases.py",
    "alerting/backtest/comparing.py",
    "alerting/backtest/content.py",
    "alerting/backtest/counting.py",
    "alerting/backtest/evaluating.py",
    "alerting/backtest/events.py",
    "alerting/backtest/examples.py",
    "alerting/backtest/fitting.py",
    "alerting/backtest/followed.py",
    "alerting/backtest/found.py",
    "alerting/backtest/gathering.py",
    "alerting/backtest/history.py",
    "alerting/backtest/judged.py",
    "alerting/backtest/measures.py",
    "alerting/backtest/page/case_chart.py",
    "alerting/backtest/page/charts.py",
    "alerting/backtest/page/drawing.py",
    "alerting/backtest/page/sentences.py",
    "alerting/backtest/result.py",
    "alerting/backtest/sweeps.py",
    "alerting/backtest/together.py",
    "alerting/because.py",
    "alerting/circumstances.py",
    "alerting/console/delays.py",
    "alerting/console/insight/cards.py",
    "alerting/console/insight/exports.py",
    "alerting/console/insight/lines.py",
    "alerting/console/insight/words.py",
    "alerting/console/technical/silence.py",
    "alerting/console/technical/tables.py",
    "alerting/escalation/asking.py",
    "alerting/escalation/calendar.py",
    "alerting/escalation/choice.py",
    "alerting/escalation/delivery.py",
    "alerting/escalation/drawing.py",
    "alerting/escalation/duty.py",
    "alerting/escalation/ladder.py",
    "alerting/escalation/parts.py",
    "alerting/escalation/policy.py",
    "alerting/escalation/policy_checks.py",
    "alerting/escalation/policy_content.py",
    "alerting/escalation/promises.py",
    "alerting/escalation/rechecks.py",
    "alerting/escalation/roster.py",
    "alerting/escalation/roster_checks.py",
    "alerting/escalation/situation.py",
    "alerting/escalation/telling.py",
    "alerting/escalation/work.py",
    "alerting/findings.py",
    "alerting/incidents.py",
    "alerting/insight/measures.py",
    "alerting/insight/report.py",
    "alerting/insight/suppression.py",
    "alerting/ledger.py",
    "alerting/notify/answers.py",
    "alerting/notify/body.py",
    "alerting/notify/endpoints.py",
    "alerting/notify/fhir/answers.py",
    "alerting/notify/fhir/entries.py",
    "alerting/notify/fhir/handed.py",
    "alerting/notify/fhir/observations.py",
    "alerting/notify/fhir/requests_to_patients.py",
    "alerting/notify/fhir/tasks.py",
    "alerting/notify/fhir/transaction.py",
    "alerting/notify/grouping.py",
    "alerting/notify/letter/chart.py",
    "alerting/notify/letter/composing.py",
    "alerting/notify/letter/elements.py",
    "alerting/notify/letter/letter.py",
    "alerting/notify/letter/levels.py",
    "alerting/notify/letter/page.py",
    "alerting/notify/letter/pdf.py",
    "alerting/notify/letter/plain.py",
    "alerting/notify/letter/words.py",
    "alerting/notify/outbox.py",
    "alerting/notify/patience.py",
    "alerting/notify/to_patient.py",
    "alerting/offline/admission.py",
    "alerting/offline/bad_rows.py",
    "alerting/offline/copies.py",
    "alerting/offline/cutting.py",
    "alerting/offline/fields.py",
    "alerting/offline/lines.py",
    "alerting/offline/moments.py",
    "alerting/offline/pairing.py",
    "alerting/offline/patients.py",
    "alerting/offline/preparing.py",
    "alerting/offline/refused.py",
    "alerting/offline/sha1.py",
    "alerting/offline/table.py",
    "alerting/offline/tally.py",
    "alerting/offline/texts.py",
    "alerting/offline/writing.py",
    "alerting/offline/written.py",
    "alerting/recording/layout.py",
    "alerting/recording/moving.py",
    "alerting/remarks.py",
    "alerting/scores.py",
    "alerting/watch/canary.py",
    "alerting/watch/heart.py",
    "alerting/worklist/forms.py",
    "alerting/worklist/structure.py",
    "alerting/worklist/table.py",
    "ingest/activity.py",
    "ingest/auditing/review.py",
    "ingest/batches.py",
    "ingest/changes.py",
    "ingest/decode.py",
    "ingest/delivery/adapter.py",
    "ingest/delivery/clients/certificates.py",
    "ingest/delivery/clients/limits.py",
    "ingest/delivery/clients/listing.py",
    "ingest/delivery/clients/sealing.py",
    "ingest/delivery/clients/signatures.py",
    "ingest/delivery/clients/turns.py",
    "ingest/delivery/content.py",
    "ingest/delivery/drafts.py",
    "ingest/delivery/hospital/decisions.py",
    "ingest/delivery/hospital/elements.py",
    "ingest/delivery/hospital/encounter.py",
    "ingest/delivery/hospital/episode.py",
    "ingest/delivery/hospital/patient.py",
    "ingest/delivery/hospital/told.py",
    "ingest/delivery/plain.py",
    "ingest/delivery/preview.py",
    "ingest/delivery/status.py",
    "ingest/delivery/strict.py",
    "ingest/delivery/unpacking.py",
    "ingest/delivery/verdicts.py",
    "ingest/foreseen.py",
    "ingest/gateway/configuration.py",
    "ingest/gateway/delivery/described.py",
    "ingest/gateway/delivery/described_fhir.py",
    "ingest/gateway/delivery/described_webhooks.py",
    "ingest/gateway/login/claims.py",
    "ingest/gateway/login/forgery.py",
    "ingest/gateway/login/keys.py",
    "ingest/gateway/login/page.py",
    "ingest/gateway/login/record.py",
    "ingest/gateway/login/tokens.py",
    "ingest/guard.py",
    "ingest/judge.py",
    "ingest/keys.py",
    "ingest/normalise.py",
    "ingest/notices.py",
    "ingest/quarantine/retries.py",
    "ingest/quarantine/senders.py",
    "ingest/register/decisions.py",
    "ingest/register/forms.py",
    "ingest/register/inclusions.py",
    "ingest/register/state.py",
    "ingest/rights/bundle.py",
    "ingest/rights/corrections.py",
    "ingest/rights/looks.py",
    "ingest/rights/resources.py",
    "ingest/salvage.py",
    "ingest/scan.py",
    "ingest/sent.py",
    "ingest/veil.py",
    "simulators/load/homes.py",
    "simulators/load/readings.py",
    "simulators/load/schedule.py",
    "simulators/load/search.py",
    "simulators/load/verifying.py",
}


def is_pure(path: Path) -> bool:
    file = name(path)
    return (
        (file.startswith("models/") and not file.startswith("models/db/") and file not in IMPURE_MODELS)
        or file.startswith(PURE_FOLDERS)
        or (file.startswith("alerting/explain/") and file not in IMPURE_EXPLAIN)
        or file in PURE_ELSEWHERE
    )


def impurities(source: str) -> list[str]:
    found: list[str] = []
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(names=names):
                found += [
                    f"line {node.lineno} imports {alias.name}"
                    for alias in names
                    if alias.name.split(".")[0] in FORBIDDEN_MODULES
                ]
            case ast.ImportFrom(module=str(module), names=names, level=0):
                if module.split(".")[0] in FORBIDDEN_MODULES:
                    found.append(f"line {node.lineno} imports from {module}")
                found += [
                    f"line {node.lineno} imports {alias.name}"
                    for alias in names
                    if alias.name in FORBIDDEN_CALLS
                ]
            case ast.Call(func=ast.Attribute(attr=attr)) if attr in FORBIDDEN_CALLS:
                found.append(f"line {node.lineno} calls {attr}()")
            case _:
                pass
    return found


def test_pure_modules_know_no_clock_no_chance_and_no_world() -> None:
    found = {
        name(path): impure
        for path in python_files("alerting", "ingest", "models", "simulators")
        if is_pure(path) and (impure := impurities(path.read_text(encoding="utf-8")))
    }
    assert found == {}


def test_the_rule_sees_what_it_should_see() -> None:
    assert impurities("import os.path") == ["line 1 imports os.path"]
    assert impurities("from time import monotonic") == ["line 1 imports from time"]
    assert impurities("from uuid import UUID, uuid4") == ["line 1 imports uuid4"]
    assert impurities("import datetime\nat = datetime.datetime.now(datetime.UTC)") == ["line 2 calls now()"]
    assert impurities("from datetime import UTC, datetime\nat = datetime(2026, 1, 1, tzinfo=UTC)") == []


def test_the_files_named_here_exist() -> None:
    assert [
        file
        for file in sorted(IMPURE_MODELS | IMPURE_EXPLAIN | PURE_ELSEWHERE)
        if not (ROOT / file).is_file()
    ] == []

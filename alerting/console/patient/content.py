"""What a patient's page shows, put together for its templates."""

from typing import Any
from uuid import UUID

from alerting.console.frame import Frame
from alerting.console.patient import shown
from alerting.console.patient.charts import charts_of
from alerting.console.patient.marks import kinds_touched
from alerting.console.patient.record import Record
from alerting.explain.stored import explained
from models.alerts import AlertState
from models.clock import DAY_US, to_datetime
from models.db.pool import Connection
from models.db.series import load_answers, measured
from models.kinds import KINDS

MOST_EXPLAINED = 12
MOST_ANSWERS = 100
_YEAR_US = 366 * DAY_US
_ANSWERS_US = 31 * DAY_US
_KINDS = tuple(kind.name for kind in KINDS)


async def content_of(connection: Connection, record: Record, frame: Frame) -> dict[str, Any]:
    """Everything but the charts, which come by themselves. **Units**: microseconds since 1970 UTC."""
    now_us, language = record.now_us, frame.language
    why: dict[UUID, list[shown.Why]] = {}
    for alert in record.open_alerts:
        why[alert.alert_id] = [
            shown.why_of(await explained(connection, finding, list(record.programmes.values())), language)
            for finding in record.findings[alert.alert_id][:MOST_EXPLAINED]
        ]
    told = [
        shown.told_of(alert, why.get(alert.alert_id, []), record.happened, record.names)
        for alert in record.alerts
    ]
    newest = await measured(connection, record.patient_id, now_us - _YEAR_US, now_us)
    return about(record, frame) | {
        "open_alerts": [
            one for alert in record.open_alerts for one in told if one.alert.alert_id == alert.alert_id
        ],
        "past_alerts": [one for one in told if one.alert.state is AlertState.RESOLVED],
        "newest": newest,
        "charts": charts_of([one.kind for one in newest], touched_by_open(record)),
        "answers": await load_answers(
            connection, record.patient_id, _KINDS, now_us - _ANSWERS_US, now_us, MOST_ANSWERS
        ),
    }


def about(record: Record, frame: Frame) -> dict[str, Any]:
    """Who the patient is and what holds for them: what every part of the page says."""
    who, names = record.who, record.names
    return {
        **shown.SAID,
        "frame": frame,
        "record": record,
        "patient_id": record.patient_id,
        "version": record.registered.version,
        "care": record.registered.care,
        "state": record.state,
        "who": who,
        "name": shown.name_of(who, frame.t("patient.nameless")),
        "age": None if who is None else shown.age_of(who.birth_date, to_datetime(record.now_us).date()),
        "names": names,
        "enrolled": shown.enrolled(record, frame.language),
        "call_back": shown.call_back(record.calls, record.now_us),
        "is_paused": record.state.is_paused(record.now_us),
        "set_of": shown.set_of,
    }


def touched_by_open(record: Record) -> set[str]:
    """What the open alerts are about."""
    return {
        kind
        for alert in record.open_alerts
        for finding in record.findings[alert.alert_id]
        for kind in kinds_touched(finding, record.programmes.get((finding.programme, finding.version)))
    }

"""A call that was about an alert becomes a note of that alert."""

from alerting import acts
from alerting.console.frame import Frame
from alerting.console.texts import Speaker
from alerting.transition import Transition
from alerting.worklist.handling import NOT_THERE, Rules, Seen, Situation, handle
from ingest.acting import Acting
from models.db.calls import Call
from models.db.worklist import find_alert, keys_of
from models.errors import NotThere


async def noted(act: Acting, rules: Rules, call: Call, frame: Frame) -> None:
    """Writes the call down with its alert, whatever else was done with that meanwhile.

    **Raises**: NotThere for another patient's alert; Outdated where it is resolved.
    """
    alert_id = call.alert_id
    keys = {} if alert_id is None else await keys_of(act.connection, [alert_id])
    alert = (
        None if alert_id is None or alert_id not in keys else await find_alert(act.connection, keys[alert_id])
    )
    if alert is None or alert.patient_id != call.patient_id:
        raise NotThere(NOT_THERE)
    text = note_of(call, frame.t, "" if call.call_back_at_us is None else frame.when(call.call_back_at_us))

    def decide(at: Situation) -> Transition:
        return acts.note(at.alert, act.user, text=text, now_us=at.now_us)

    await handle(act, rules, Seen(alert.alert_id, alert.version), decide)


def note_of(call: Call, t: Speaker, back_at: str) -> str:
    """A call in words."""
    said = t(f"patient.call_note.{call.outcome}")
    if back_at:
        said += t("patient.call_note.back_at", at=back_at)
    return f"{said}. {call.note}" if call.note else f"{said}."

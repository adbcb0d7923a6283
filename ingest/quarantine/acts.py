"""What people do with what was refused, in the transaction of who does it."""

from ingest.acting import Acting
from ingest.quarantine.forms import RetryForm, places_of
from models.columns import Reason
from models.db import refused
from models.db.refused import Shown

SHOWN = 200


async def look(act: Acting, reason: Reason | None, *, retried_too: bool = False) -> list[Shown]:
    """The newest refused readings of patients whom one may see."""
    found = await refused.load_refused(act.connection, reason=reason, retried_too=retried_too, at_most=SHOWN)
    act.touched += list(dict.fromkeys(one.patient_id for one in found))
    return found


async def try_again(act: Acting, form: RetryForm) -> int:
    """Has refused messages tried again; how many that were not being tried already."""
    reason, by = form.reason, act.user.person_id
    if reason is None:
        asked = await refused.try_again(act.connection, places_of(form), by)
    else:
        asked = await refused.try_again_for(act.connection, reason.value, by)
    act.touched += list(dict.fromkeys(patient_id for patient_id, _, _ in asked))
    act.details = f"{len(asked)} messages" + (f": {reason}" if reason else "")
    return len(asked)

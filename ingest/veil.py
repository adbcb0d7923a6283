"""What is refused of patients whose records were destroyed: that something came, nothing of what it was."""

from collections.abc import Sequence
from dataclasses import replace

from ingest.patients import PatientIndex
from models.columns import Reason, Refusal

EXPECTED = "a patient whose record was not destroyed"


def veiled(refusals: Sequence[Refusal], patients: PatientIndex) -> list[Refusal]:
    """The refusals, those of destroyed patients without what was found and without what their device did."""
    return [
        replace(
            refusal,
            reason=Reason.DESTROYED_PATIENT,
            field="patient_id",
            expected=EXPECTED,
            found="-",
            notice=None,
        )
        if refusal.patient_id is not None and patients.was_destroyed(refusal.patient_id)
        else refusal
        for refusal in refusals
    ]

"""From what was sent to what counts as a reading: known patient, known kind, canonical unit, plausible value.

Pure, and shared by everybody who reads the log, so that all agree on what a reading is.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ingest.decode import Decoded
from ingest.judge import Fault, judge
from ingest.notices import kept_by_place, notices_of
from ingest.patients import PatientIndex
from ingest.salvage import WHOLE_MESSAGE, known_id, shown
from ingest.sent import Sent
from models.columns import Notice, Readings, Reason, Refusal
from models.kinds import KINDS
from models.messages import LATE_LIMIT_US
from models.units import UNITS, is_unit_of, to_canonical

EARLIEST_RECEIVED_AT_US = 946_684_800_000_000
"""The year 2000: whoever stamps an upload with less has no clock. The year 2100 is checked by the schema."""

_REASONS: dict[Fault, tuple[Reason, str, str]] = {
    Fault.KIND: (Reason.UNKNOWN_KIND, "kind", "one of our kinds"),
    Fault.CONTENT: (Reason.NOT_ONE_CONTENT, "", "exactly one of value, code, text, absent, void"),
    Fault.FUTURE: (Reason.TAKEN_IN_FUTURE, "taken_at_us", "at most 5 minutes after received_at_us"),
    Fault.LONG_AGO: (Reason.TAKEN_LONG_AGO, "taken_at_us", "at most 400 days before received_at_us"),
    Fault.NEEDS_CODE: (Reason.UNKNOWN_CODE, "code", ""),
    Fault.NEEDS_UNIT: (Reason.MISSING_FIELD, "unit", ""),
    Fault.UNIT: (Reason.UNKNOWN_UNIT, "unit", ""),
    Fault.SENTINEL: (Reason.SENTINEL, "value", "a measured value"),
    Fault.IMPLAUSIBLE: (Reason.IMPLAUSIBLE, "value", ""),
    Fault.CODE: (Reason.UNKNOWN_CODE, "code", ""),
    Fault.CROSSED: (Reason.IMPLAUSIBLE, "value", "systolic above diastolic"),
}
"""Each fault of a reading: its reason, its field, and what was expected where that is always the same."""


class Normalised(NamedTuple):
    """What counts, in log order; what does not; and what the engine hears of that (see `ingest.notices`)."""

    readings: Readings
    refusals: list[Refusal]
    notices: Readings


def normalise(decoded: Decoded, patients: PatientIndex) -> Normalised:
    """The readings that count, and a refusal for each upload or reading that does not.

    All registrations up to the end of the batch must be in `patients`; an upload before its patient's is
    refused all the same.
    """
    sent = decoded.sent
    patient = patients.rows_at(sent.patients, sent.upload_offset)
    undated = sent.upload_received_at_us < EARLIEST_RECEIVED_AT_US
    refused = undated | (patient < 0)
    value = to_canonical(sent.value, sent.kind, sent.unit)
    faults = judge(sent, value)
    readings = _readings(decoded, patients, patient, value)
    if not refused.any() and not faults.any():
        return Normalised(readings, [], notices_of(readings, faults))
    faults[refused[sent.upload]] = Fault.UPLOAD
    counts = np.diff(np.append(sent.upload_first, len(sent)))
    refusals = [
        _refused_upload(decoded, row, int(counts[row]), is_dated=not undated[row])
        for row in np.flatnonzero(refused).tolist()
    ]
    notices = notices_of(readings, faults)
    kept = kept_by_place(notices)
    refusals += [
        _refused_reading(decoded, row, Fault(faults[row]), float(value[row]), kept)
        for row in np.flatnonzero(faults > Fault.UPLOAD).tolist()
    ]
    return Normalised(readings.take(faults == Fault.NOTHING), refusals, notices)


def _readings(
    decoded: Decoded, patients: PatientIndex, patient: NDArray[np.int32], value: NDArray[np.float64]
) -> Readings:
    sent, upload = decoded.sent, decoded.sent.upload
    received_at_us = sent.upload_received_at_us[upload]
    return Readings(
        partition=decoded.partition,
        texts=sent.texts,
        offset=sent.upload_offset[upload],
        position=sent.position,
        patient=patient[upload],
        patient_id=patients.patient_ids[patient][upload],
        organisation_id=patients.organisation_ids[patient][upload],
        upload_id=sent.upload_id[upload],
        kind=sent.kind,
        taken_at_us=sent.taken_at_us,
        device=sent.upload_device[upload],
        revision=sent.revision,
        void=sent.void,
        value=value,
        value_received=sent.value,
        unit=sent.unit,
        unit_received=sent.unit_received,
        code=sent.code,
        code_received=sent.code_received,
        absent=sent.absent,
        text=sent.text,
        group=sent.group,
        source=sent.upload_source[upload],
        received_at_us=received_at_us,
        sent_at_us=sent.upload_sent_at_us[upload],
        utc_offset_min=sent.utc_offset_min,
        too_late=received_at_us - sent.taken_at_us > LATE_LIMIT_US,
    )


def _refused_upload(decoded: Decoded, row: int, readings: int, *, is_dated: bool) -> Refusal:
    sent = decoded.sent
    patient = sent.patients[row]
    if not is_dated:
        reason, field, expected = Reason.RECEIVED_AT_IMPOSSIBLE, "received_at_us", "the year 2000 or later"
        found = str(sent.upload_received_at_us[row])
    elif known_id(patient) is None:
        reason, field, expected = Reason.INVALID_FIELD, "patient_id", "a UUID"
        found = shown(patient)
    else:
        reason, field, expected = Reason.UNKNOWN_PATIENT, "patient_id", "a patient registered before"
        found = shown(patient)
    return Refusal(
        partition=decoded.partition,
        offset=int(sent.upload_offset[row]),
        position=WHOLE_MESSAGE,
        reason=reason,
        field=field,
        expected=expected,
        found=found,
        readings=readings,
        patient_id=known_id(patient),
    )


def _refused_reading(
    decoded: Decoded, row: int, fault: Fault, value: float, notices: Mapping[tuple[int, int], Notice]
) -> Refusal:
    sent = decoded.sent
    upload = int(sent.upload[row])
    offset, position = int(sent.upload_offset[upload]), int(sent.position[row])
    reason, field, expected = _REASONS[fault]
    return Refusal(
        partition=decoded.partition,
        offset=offset,
        position=position,
        reason=reason,
        field=field,
        expected=expected or _expected(fault, int(sent.kind[row])),
        found=shown(_found(sent, row, fault, value)),
        readings=1,
        patient_id=known_id(sent.patients[upload]),
        notice=notices.get((offset, position)),
    )


def _expected(fault: Fault, number: int) -> str:
    kind = KINDS[number]
    match fault:
        case Fault.NEEDS_UNIT | Fault.UNIT:
            return " or ".join(unit for at, unit in enumerate(UNITS) if is_unit_of(number, at)) or "no unit"
        case Fault.IMPLAUSIBLE:
            above = "above " if kind.low_excluded else ""
            return f"{above}{kind.low:g} to {kind.high:g} {kind.unit}"
        case _:
            return "one of " + ", ".join(kind.codes) if kind.codes else "no code: it has values"


def _found(sent: Sent, row: int, fault: Fault, value: float) -> str:
    match fault:
        case Fault.KIND:
            found = _text(sent, sent.kind_received, row)
        case Fault.CODE:
            found = _text(sent, sent.code_sent, row)
        case Fault.UNIT | Fault.NEEDS_UNIT:
            found = _text(sent, sent.unit_received, row)
        case Fault.FUTURE | Fault.LONG_AGO:
            found = str(sent.taken_at_us[row])
        case Fault.CONTENT:
            found = "none, or several"
        case Fault.NEEDS_CODE:
            found = f"the value {sent.value[row]:g}"
        case _:
            found = f"{value:.15g} ({sent.value[row]:.15g} {_text(sent, sent.unit_received, row)})"
    return found


def _text(sent: Sent, column: NDArray[np.int32], row: int) -> str:
    index = int(column[row])
    return sent.texts[index] if index >= 0 else "nothing"

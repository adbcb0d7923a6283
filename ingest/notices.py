"""What we say of readings that had to be refused: a state of their device, for the rules on devices.

A reading that cannot be believed is kept in quarantine and never counts, but a real emergency may hide behind
it, and a device that sends such readings should be seen to. So the engine, and it alone, hears of each as a
`device_state` at that place in the log.
"""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from ingest.judge import Fault
from models.columns import Notice, Readings
from models.kinds import KIND_BY_NAME

_KIND = KIND_BY_NAME["device_state"]
_STATES = {
    Fault.FUTURE: "clock_wrong",
    Fault.LONG_AGO: "clock_wrong",
    Fault.SENTINEL: "nothing_measured",
    Fault.IMPLAUSIBLE: "implausible",
    Fault.CROSSED: "implausible",
}
_CODES = np.array(
    [_KIND.codes.index(_STATES[fault]) if fault in _STATES else -1 for fault in Fault], np.int16
)
_CLOCK_WRONG = np.int16(_KIND.codes.index("clock_wrong"))


def notices_of(readings: Readings, faults: NDArray[np.int8]) -> Readings:
    """A notice of each reading that was refused for such a fault, in log order; `readings` are all that came.

    A wrong clock is noticed when the reading was received, all else when it was taken. What came too late to
    be evaluated gives no notice. Several of one device and moment have one identity: the first counts.
    """
    code = _CODES[faults]
    is_clock = code == _CLOCK_WRONG
    rows = np.flatnonzero((code >= 0) & (is_clock | ~readings.too_late))
    refused = readings.take(rows)
    n = len(rows)
    nothing, no_value = np.full(n, -1, np.int32), np.full(n, np.nan)
    return replace(
        refused,
        kind=np.full(n, _KIND.number, np.int16),
        taken_at_us=np.where(is_clock[rows], refused.received_at_us, refused.taken_at_us),
        code=code[rows],
        revision=np.zeros(n, np.int32),
        void=np.zeros(n, np.bool_),
        too_late=np.zeros(n, np.bool_),
        value=no_value,
        value_received=no_value,
        unit=np.full(n, -1, np.int16),
        unit_received=nothing,
        code_received=nothing,
        absent=nothing,
        text=nothing,
        group=nothing,
    )


def kept_by_place(notices: Readings) -> dict[tuple[int, int], Notice]:
    """The notices by offset and position, as they are kept beside the refusals."""
    return {
        (int(notices.offset[row]), int(notices.position[row])): Notice(
            device_id=notices.texts[int(notices.device[row])],
            at_us=int(notices.taken_at_us[row]),
            code=int(notices.code[row]),
        )
        for row in range(len(notices))
    }

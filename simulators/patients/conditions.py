"""All conditions that there are, in their order."""

from collections.abc import Mapping

from simulators.patients.condition import Condition
from simulators.patients.copd import COPD
from simulators.patients.diabetes import DIABETES
from simulators.patients.frail_elderly import FRAIL_ELDERLY
from simulators.patients.heart_failure import HEART_FAILURE
from simulators.patients.hospital_at_home import HOSPITAL_AT_HOME
from simulators.patients.hypertension import HYPERTENSION, UNCONTROLLED

CONDITIONS: tuple[Condition, ...] = (
    HEART_FAILURE,
    HYPERTENSION,
    COPD,
    DIABETES,
    FRAIL_ELDERLY,
    HOSPITAL_AT_HOME,
    UNCONTROLLED,
)
"""A condition's number is its index here; new ones go to the end."""

CONDITION_NUMBERS: Mapping[str, int] = {condition.name: at for at, condition in enumerate(CONDITIONS)}

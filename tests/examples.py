"""How many examples the property tests look at: what each asks for, times what the environment says."""

import os

from hypothesis import HealthCheck, settings

TIMES = int(os.environ.get("EXAMPLES_TIMES", "1"))
TIME_LIMIT_S = 300 * TIMES  # on a busy machine


def examples(number: int) -> settings:
    """Settings of a test whose examples are long logs: drawing and evaluating them takes its time."""
    return settings(deadline=None, max_examples=number * TIMES, suppress_health_check=[HealthCheck.too_slow])

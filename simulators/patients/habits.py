"""What people at home do with their measuring, as rates and shares; none of it is published, all is ours."""

from dataclasses import dataclass, fields


@dataclass(frozen=True, slots=True)
class Habits:
    """How people measure, leave, and answer.

    **Units**: shares from 0 to 1, of people (`fading`), of measuring days (`late`), of journeys
    (`announced`), of requests to measure again (`answers_in_time`, `answers_late`; the rest is never
    answered). Rates are per patient and year.
    """

    fading: float = 0.4
    """People who measure less and less often over the year."""
    lapses_per_year: float = 0.6
    """Stretches in which somebody at home just does not measure."""
    late: float = 0.02
    """Days on which the morning's measuring is done in the afternoon."""
    journeys_per_year: float = 1.2
    announced: float = 0.6
    leaves_per_year: float = 0.06
    answers_in_time: float = 0.55
    answers_late: float = 0.2

    @classmethod
    def names(cls) -> tuple[str, ...]:
        """What can be set."""
        return tuple(field.name for field in fields(cls))


STEADY = Habits(
    fading=0.0,
    lapses_per_year=0.0,
    late=0.0,
    journeys_per_year=0.0,
    leaves_per_year=0.0,
    answers_in_time=1.0,
    answers_late=0.0,
)
"""Nobody slackens, travels or leaves: what remains is what devices and bodies do."""

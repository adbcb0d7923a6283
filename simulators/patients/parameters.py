"""Everything about simulated bodies that is a number, in one value; and the same a little different."""

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, replace

from models.errors import BadInput
from simulators.patients.condition import Condition
from simulators.patients.conditions import CONDITIONS


@dataclass(frozen=True, slots=True)
class Coupling:
    """What an event moves moves something else with it: only upwards of the source, or only downwards."""

    source: str
    target: str
    per: float
    upwards: bool = True


COUPLINGS: tuple[Coupling, ...] = (
    Coupling("body_weight", "spo2", -0.3),
    Coupling("body_weight", "respiratory_rate", 0.5),
    Coupling("body_weight", "symptom_oedema", 0.25),
    Coupling("temperature", "heart_rate", 9.0),
    Coupling("temperature", "respiratory_rate", 2.0),
    Coupling("temperature", "symptom_fever", 0.6),
    Coupling("lung_function", "respiratory_rate", 6.0, upwards=False),
    Coupling("spo2", "respiratory_rate", 0.6, upwards=False),
    Coupling("spo2", "heart_rate", 1.0, upwards=False),
)
"""Per kg, °C, %, share. One degree brings about ten beats (Liebermeister, from memory); else proposals."""


@dataclass(frozen=True, slots=True)
class Factors:
    """How far each group of numbers is from what was calibrated.

    `rates`: events a year · `effects`: how far they move what is measured · `lengths`: how long they take ·
    `treatment`: the share that is treated before the worst · `noise`: from day to day and reading to reading
    · `wandering`: how far weight drifts in who is well · `spread`: how patients differ · `adherence` ·
    `bias`: of cuffs.
    """

    rates: float = 1.0
    effects: float = 1.0
    lengths: float = 1.0
    treatment: float = 1.0
    noise: float = 1.0
    wandering: float = 1.0
    spread: float = 1.0
    adherence: float = 1.0
    bias: float = 1.0


GROUPS = tuple(group.name for group in fields(Factors))


@dataclass(frozen=True, slots=True)
class Parameters:
    """The numbers of a simulation. **Units**: `cuff_bias_sd` in mmHg, `upset_kg` in kg."""

    conditions: tuple[Condition, ...] = CONDITIONS
    couplings: tuple[Coupling, ...] = COUPLINGS
    factors: Factors = field(default=Factors())
    cuff_bias_sd: float = 4.82
    """Gives 30 % of home cuffs an error of 5 mmHg or more."""
    upsets_per_year: float = 8.0
    """A salty dinner or an upset stomach: harmless, up or down at once, gone in a week; rules mistake it."""
    upset_kg: tuple[float, float] = (0.8, 4.0)


PARAMETERS = Parameters()


def varied(parameters: Parameters, factors: Mapping[str, float]) -> Parameters:
    """The same with groups of numbers multiplied, for results that must not hang on one guess.

    >>> varied(PARAMETERS, {"rates": 1.3}).factors.rates
    1.3

    **Raises**: BadInput when there is no such group, or a factor is not from 0.1 to 10.
    """
    for name, factor in factors.items():
        if name not in GROUPS:
            raise BadInput(where=f"vary.{name}", expected=f"one of {', '.join(GROUPS)}", found=name)
        if not 0.1 <= factor <= 10:
            raise BadInput(where=f"vary.{name}", expected="a factor from 0.1 to 10", found=str(factor))
    return replace(parameters, factors=replace(parameters.factors, **factors))

"""What goes wrong between a body and the log, each at its own rate."""

from dataclasses import dataclass, fields, replace

from models.errors import BadInput


@dataclass(frozen=True, slots=True)
class Rates:
    """How often something goes wrong, as a share from 0 to 1; by default a home as we believe them to be.

    Each comes with its label (`models.labels`) but those that are noise: `digit_preference`, and all from
    `sentinel` on.
    """

    # Of the days on which somebody measures with such a device: one such stretch begins.
    flat_battery: float = 0.0015
    """The device says that its battery is low; from the next day on it is silent, for some days."""
    clock_ahead: float = 0.0003
    """An hour to two weeks ahead, until somebody sets it."""
    clock_reset: float = 0.0003
    """After another battery the clock begins in 1970."""
    unit_switched: float = 0.0001
    """After another battery pounds, Fahrenheit, mg/dL; half of the devices go on naming the old unit."""
    probe_off: float = 0.0005
    """No finger in the oximeter: for that day it sends what stands for nothing."""
    clothed: float = 0.001
    """Weighed with clothes on, for one to three weeks."""
    # Of devices, when the clocks change.
    clock_not_changed: float = 0.1
    """An hour off from then on, until somebody sets it."""
    # Of weights.
    someone_else: float = 0.003
    # Of a vendor's days.
    vendor_away: float = 0.01
    """Takes nothing in for an hour or so, then delivers everything at once."""
    # Of the days of people who wear something.
    disconnected: float = 0.05
    """The telephone is not near: what was measured comes hours later."""
    not_worn: float = 0.05
    """Taken off for an hour or more."""
    probe_loose: float = 0.03
    """Sits badly: for a quarter of an hour to two hours nothing but what stands for nothing."""
    sensor_dropout: float = 0.04
    """The glucose sensor loses its values for half an hour to four hours."""
    compression_low: float = 0.03
    """Somebody lies on the glucose sensor at night: it falls, their glucose does not."""
    # Of homes.
    digit_preference: float = 0.06
    """Pressures that all end in 0, or in 0 and 5."""
    # Of readings, of those devices that are not worn.
    sentinel: float = 0.0006
    implausible: float = 0.0006
    absent: float = 0.001
    revised: float = 0.002
    conflict: float = 0.0004
    # Of answers.
    remark: float = 0.02
    # Of uploads.
    late: float = 0.02
    """Hours to days after they were measured, a few after more than a week; not of devices that are worn."""
    duplicate: float = 0.01
    shuffled: float = 0.01
    """Readings in another order than they were taken."""
    unknown_patient: float = 0.0003
    broken: float = 0.0003

    def times(self, factor: float) -> "Rates":
        """All of them more or less frequent."""
        return Rates(**{f.name: min(1.0, getattr(self, f.name) * factor) for f in fields(self)})

    def changed(self, given: tuple[str, ...]) -> "Rates":
        """With some rates given as NAME=SHARE.

        **Raises**: BadInput when a name is unknown or a share is not between 0 and 1.
        """
        names = [field.name for field in fields(self)]
        rates = self
        for text in given:
            name, _, share = text.partition("=")
            expected = f"NAME=SHARE with a share from 0 to 1 and NAME one of {', '.join(names)}"
            try:
                value = float(share)
            except ValueError:
                raise BadInput(where="trouble", expected=expected, found=text) from None
            if name not in names or not 0 <= value <= 1:
                raise BadInput(where="trouble", expected=expected, found=text)
            rates = replace(rates, **{name: value})
        return rates


NO_TROUBLE = Rates().times(0)

"""What goes on, while it goes on: a picture that redraws itself in a terminal, else a line now and then."""

import shutil
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TextIO

from alerting.engine.programme import Programme
from simulators.demo.database import NewAlert
from simulators.patients.calendar import HOME

REDRAW_EVERY_S = 0.5
LINE_EVERY_S = 5.0
ALERTS_SHOWN = 6
MARKS = {"high": "▲ HOOG  ", "medium": "■ MIDDEN", "low": "· LAAG  "}


@dataclass(slots=True)
class State:
    """How far the demo is."""

    step: str
    day: int = 0
    days: int = 0
    date: str = ""
    sent: int = 0
    stored: int = 0
    lag: int = 0
    due: int = 0
    readings_per_s: float = 0.0
    alerts: Mapping[str, int] = field(default_factory=dict[str, int])
    newest: Sequence[NewAlert] = ()


class Picture:
    """Shows states on standard error, so that standard output has the report alone."""

    def __init__(
        self, programmes: Mapping[str, Programme], *, moving: bool, out: TextIO = sys.stderr
    ) -> None:
        self._programmes = programmes
        self.below: Callable[[], Sequence[str]] = tuple
        """What stands below all else while it goes on, anew each time."""
        self._moving = moving
        self._out = out
        self._drawn = 0
        self._shown_s = -1e9

    def due(self) -> bool:
        """Whether it is time to show something again."""
        every_s = REDRAW_EVERY_S if self._moving else LINE_EVERY_S
        return time.monotonic() - self._shown_s >= every_s

    def show(self, state: State) -> None:
        """Show a state in place of the one before, or as one more line."""
        self._shown_s = time.monotonic()
        if not self._moving:
            self._out.write(headline(state) + "\n")
            self._out.flush()
            return
        width = shutil.get_terminal_size().columns
        shown = [headline(state), *self._alert_lines(state), *self.below()]
        lines = [line[: width - 1] for line in shown]
        back = f"\033[{self._drawn}F" if self._drawn else ""
        self._out.write(back + "".join(f"\033[K{line}\n" for line in lines))
        self._out.flush()
        self._drawn = len(lines)

    def say(self, line: str) -> None:
        """A line that stays."""
        self._drawn = 0
        self._out.write(line + "\n")
        self._out.flush()

    def _alert_lines(self, state: State) -> list[str]:
        counts = "   ".join(
            f"{MARKS[severity].strip()} {state.alerts.get(severity, 0):,}" for severity in MARKS
        )
        lines = [f"alerts   {counts}", ""]
        for alert in state.newest:
            rule = self._programmes[alert.programme].rules[alert.rule]
            when = f"{alert.opened_at.astimezone(HOME):%d-%m %H:%M}"
            lines.append(f"  {MARKS[alert.severity]} {when}  {str(alert.patient_id)[:8]}  {rule.text.nl}")
            lines.append(f"  {'':32}{rule.text.en}")
        return lines + [""] * (2 + 2 * ALERTS_SHOWN - len(lines))


def headline(state: State) -> str:
    """One line on how far it is."""
    day = f"day {state.day}/{state.days} ({state.date})  " if state.days else ""
    rate = f", {state.readings_per_s:,.0f}/s" if state.readings_per_s else ""
    due = f", {state.due:,} due to be asked or sent" if state.due else ""
    return (
        f"{state.step}  {day}{state.sent:,} readings sent, {state.stored:,} stored, "
        f"{state.lag:,} messages behind{rate}{due}"
    )

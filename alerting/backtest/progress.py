"""How far long work is: a bar with the remaining time on a terminal, a line now and then elsewhere."""

import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TextIO

US = "thuiswacht"
WIDTH = 24
TELL_EVERY_S = 5.0
DRAW_EVERY_S = 0.1
ENOUGH = 0.02
"""Of the work, before anybody believes how long the rest takes."""


@dataclass(slots=True)
class Progress:
    """Tells it on standard error. **Units**: `now_s` gives seconds of a clock that only goes forward."""

    quiet: bool = False
    to: TextIO = field(default_factory=lambda: sys.stderr)
    now_s: Callable[[], float] = time.monotonic
    _what: str = ""
    _begun_s: float = 0.0
    _from: int = 0
    _told_s: float = 0.0
    _drawn: bool = False

    def __call__(self, what: str, done: int, of: int | None) -> None:
        """So much is done of something; where that is new, its time begins here."""
        if self.quiet:
            return
        now_s = self.now_s()
        if what != self._what:
            self._what, self._begun_s, self._from, self._told_s = what, now_s, done, now_s
        on_terminal = self.to.isatty()
        if now_s - self._told_s < (DRAW_EVERY_S if on_terminal else TELL_EVERY_S):
            return
        self._told_s = now_s
        line = told(what, done, of, self._rest_s(done, of, now_s))
        if on_terminal:
            self.to.write(f"\r\033[K{bar(done, of)}{line}")
            self._drawn = True
        else:
            self.to.write(f"{US}: {line}\n")
        self.to.flush()

    def say(self, line: str) -> None:
        """A line of its own, above a bar."""
        if self.quiet:
            return
        self.to.write(f"\r\033[K{US}: {line}\n" if self._drawn else f"{US}: {line}\n")
        self._drawn = False
        self.to.flush()

    def end(self) -> None:
        """Leaves no bar behind."""
        if self._drawn:
            self.to.write("\r\033[K")
            self.to.flush()
            self._drawn = False

    def _rest_s(self, done: int, of: int | None, now_s: float) -> float | None:
        if not of or done - self._from < ENOUGH * of:
            return None
        return (now_s - self._begun_s) * max(of - done, 0) / (done - self._from)


def told(what: str, done: int, of: int | None, rest_s: float | None) -> str:
    """How far it is, in words.

    >>> told("reading rows", 1_000, 4_000, 75.0)
    'reading rows: 1,000 of 4,000, about 1 min 15 s left'
    >>> told("reading rows", 1_000, None, None)
    'reading rows: 1,000'
    """
    share = "" if of is None else f" of {of:,}"
    if rest_s is None:
        return f"{what}: {done:,}{share}"
    minutes, seconds = divmod(round(rest_s), 60)
    rest = f"{minutes} min {seconds} s" if minutes else f"{seconds} s"
    return f"{what}: {done:,}{share}, about {rest} left"


def bar(done: int, of: int | None) -> str:
    """The same as a bar; nothing where nobody knows how much there is.

    >>> bar(1, 4)
    '[██████··················] '
    """
    if not of:
        return ""
    full = WIDTH * min(done, of) // of
    return f"[{'█' * full}{'·' * (WIDTH - full)}] "

"""Rows as HTML, drawn once for all who are to see the same: most of what fifty people look at is the same.

What is drawn follows from the row, the language and the time alone, and a row holds all that differs between
people: whose it is, what they can do, what is offered to them. So nobody is shown what was made for another:
they first had to come to an equal row by themselves, through the fences of the database.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

from markupsafe import Markup

from alerting.console.frame import Voice, environment
from alerting.console.texts import Speaker
from alerting.console.worklist.listing import Called, Listing
from alerting.console.worklist.rows import Row
from models.clock import SECOND_US

KEPT_US = 10 * SECOND_US
"""A row says how long ago something was, in minutes: it may be so much older. Then it is forgotten."""
MOST = 5_000
"""So many rows are kept: a hundred pages."""


@dataclass(slots=True)
class Drawn:
    """Rows as they were drawn in this stretch of time, and no longer. **Units**: microseconds."""

    most: int = MOST
    _at_us: int = 0
    _rows: dict[tuple[Row, Speaker, Called], Markup] = field(
        default_factory=dict[tuple[Row, Speaker, Called], Markup]
    )

    def draw(self, listing: Listing, t: Speaker) -> Sequence[Markup]:
        """The rows of a list."""
        at_us = listing.seeing.now_us - listing.seeing.now_us % KEPT_US
        if at_us != self._at_us or len(self._rows) > self.most:
            self._rows.clear()
            self._at_us = at_us
        voice = Voice(t, at_us)
        found: list[Markup] = []
        for row in listing.rows:
            key = (row, t, listing.called)
            if (drawn := self._rows.get(key)) is None:
                drawn = self._rows[key] = _draw(row, voice, listing.called)
            found.append(drawn)
        return found


def _draw(row: Row, voice: Voice, called: Called) -> Markup:
    template = environment().get_template("worklist/row.html.j2")
    return Markup(template.render(row=row, frame=voice, t=voice.t, called=called))  # noqa: S704 what it escaped

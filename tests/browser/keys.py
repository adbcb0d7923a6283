"""A nurse who works by keys alone, each counted; and word of what changed, as services give it."""

import re
from dataclasses import dataclass, field
from uuid import UUID

from playwright.async_api import Locator, Page, expect

from models.db.alerts import CHANNEL
from models.db.pool import Connection


@dataclass
class Keys:
    """Keys pressed before a page, each counted."""

    page: Page
    pressed: list[str] = field(default_factory=list[str])

    async def press(self, *keys: str) -> None:
        """One key after the other."""
        for key in keys:
            await self.page.keyboard.press(key)
            self.pressed.append(key)

    async def write(self, text: str) -> None:
        """A text, letter by letter."""
        await self.page.keyboard.type(text)
        self.pressed.extend(text)

    async def hears(self, text: str) -> None:
        """What the page says of what was done."""
        await expect(self.page.locator("#said")).to_contain_text(says(text))


def says(text: str) -> re.Pattern[str]:
    """A text in which names may be kept apart from the direction of the rest."""
    return re.compile("[\u2068\u2069]*".join(re.escape(letter) for letter in text))


def row(page: Page, patient_id: UUID) -> Locator:
    """A patient's row of the worklist."""
    return page.locator(f"#row-{patient_id}")


_CHANGED = """
INSERT INTO alert_event (patient_id, alert_id, organisation_id, happened_at, event, by)
SELECT patient_id, alert_id, organisation_id, opened_at, 'finding_changed', 'alerting' FROM alert
WHERE alert_id = $1
"""


async def tell(admin: Connection, alert_id: UUID) -> None:
    """Says that an alert changed, as who changes one does."""
    await admin.execute(_CHANGED, alert_id)
    await admin.execute("SELECT pg_notify($1, $2)", CHANNEL, str(alert_id))

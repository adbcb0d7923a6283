"""What arrives at those who are asked, once in a while on the screen: as they would read it."""

import json
import time
from collections import Counter
from io import BytesIO
from typing import Any

from pypdf import PdfReader

from simulators.demo.picture import Picture
from simulators.receivers.received import Received

SHOWN = 3
EVERY_S = 4.0
LINES = 16


class Arriving:
    """Shows the first of each kind of message, and now and then another letter."""

    def __init__(self, picture: Picture) -> None:
        self._picture = picture
        self._seen = Counter[str]()
        self._shown_s = -1e9

    def tell(self, received: Received) -> None:
        """Something came in."""
        self._seen[received.way] += 1
        nth, now_s = self._seen[received.way], time.monotonic()
        recently = now_s - self._shown_s < EVERY_S
        if nth > 1 and (received.letter is None or nth > SHOWN or recently):
            return
        self._shown_s = now_s
        for line in shown(received):
            self._picture.say(line)


def shown(received: Received) -> list[str]:
    """A message as lines: a letter from its PDF, a webhook by what matters, a mail as it is."""
    if received.letter is not None:
        title, lines = "a letter by secure mail", letter_lines(received.letter)
    elif received.way == "webhook":
        title, lines = "a webhook, its signature checked", webhook_lines(received.text)
    else:
        title, lines = "an e-mail: nothing of the patient", received.text.splitlines()[:6]
    edge = "─" * 76
    return ["", f"┌{edge}", f"│ {title}", "│", *(f"│ {line}".rstrip() for line in lines), f"└{edge}", ""]


def letter_lines(letter: bytes) -> list[str]:
    """The first lines of a letter, as they stand in its PDF."""
    text = PdfReader(BytesIO(letter)).pages[0].extract_text()
    return [line for line in text.splitlines() if line.strip()][:LINES]


def webhook_lines(text: str) -> list[str]:
    """What a system would read out of a webhook first."""
    body: dict[str, Any] = json.loads(text)
    sender = body["responsible"]
    lines = [
        f"{body['type']}, number {body['number']}, {body['origin']}, severity {body['severity']}",
        f"responsible until {sender['until']}: {sender['organisation']}, {sender['telephone']}",
        f"patient {body['patient_id']}",
    ]
    lines += [f"alert {one['signal']}, {one['severity']}, since {one['opened_at']}" for one in body["alerts"]]
    lines += [f"asked: {one['recipient']}, {one['request']}; {one['link']}" for one in body["escalations"]]
    return lines[:LINES]

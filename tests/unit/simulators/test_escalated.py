"""What the demo says of escalations: it adds up, and what did not arrive is said."""

from collections.abc import Mapping
from uuid import UUID

from alerting.explain.vocabulary import Language
from alerting.notify.letter.pdf import render_pdf
from simulators.demo.arriving import LINES, letter_lines, shown
from simulators.demo.database import Handed
from simulators.demo.escalated import escalated, undelivered
from simulators.receivers.received import Inbox, Received
from tests.unit.letter.letters import letter

MESSAGES = [UUID(int=n) for n in range(3)]


def handed(messages: Mapping[tuple[str, str], int]) -> Handed:
    return Handed({"huisarts": 3, "nurse": 1}, messages, frozenset(MESSAGES[:2]), {})


def inbox(*received: UUID) -> Inbox:
    found = Inbox()
    for one in received:
        found.take(Received("webhook", str(one), "/", "{}"))
    return found


def test_what_was_delivered_was_received() -> None:
    messages = {
        ("webhook", "delivered"): 1,
        ("secure_mail", "seen"): 1,
        ("email", "due"): 2,
        ("worklist", "delivered"): 7,
    }
    found = escalated(handed(messages), inbox(*MESSAGES[:2]))
    assert (found.asked, found.waiting, found.undelivered, found.not_received) == (4, 2, 0, 0)
    assert found.delivered_by_channel == {"secure_mail": 1, "webhook": 1}
    assert undelivered(found) == []


def test_what_did_not_arrive_is_said() -> None:
    nobody = inbox(MESSAGES[0])
    nobody.refused = 1
    found = escalated(handed({("webhook", "given_up"): 2}), nobody)
    assert undelivered(found) == [
        "2 messages were given up",
        "1 messages are delivered, and nobody received them",
        "1 messages came that their receiver had to refuse",
    ]


def test_a_copy_is_nothing_new() -> None:
    twice = inbox(MESSAGES[0], MESSAGES[0])
    assert (len(twice.messages), twice.copies) == (1, 1)


def test_a_letter_shows_its_first_lines() -> None:
    lines = letter_lines(render_pdf(letter(), Language.NL))
    assert lines[0].startswith("Verantwoordelijk tot iemand dit met naam overneemt")
    assert any("Acuut" in line for line in lines)
    assert len(lines) == LINES


def test_a_mail_is_shown_as_it_is() -> None:
    lines = shown(Received("email", "m", "a@example.org", "Er wacht een bericht.\n"))
    assert "│ Er wacht een bericht." in lines

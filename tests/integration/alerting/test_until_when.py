"""What a nurse asks says until when: in the letter that goes out with it."""

from uuid import UUID

import pytest

from alerting.explain.moments import moment
from alerting.explain.vocabulary import Language
from alerting.notify.letter.facts import load_letter
from alerting.notify.letter.page import render_html
from models.clock import MINUTE_US
from models.db.outbox import load_message
from models.db.pool import Connection
from models.db.positions import dispatch_now_us
from models.settings import Settings
from tests import shipped
from tests.integration.alerting.ward import Ward

JANSEN = "M. Jansen"
REQUEST = {"recipient": "huisarts", "request": "acute", "reason": "3 kg in drie dagen"}
QUESTION = {**REQUEST, "question": "Furosemide hoger?", "answer_within_minutes": 90}


@pytest.mark.parametrize(
    ("asked", "minutes"),
    [(REQUEST, 15), (QUESTION, 90), ({**REQUEST, "request": "complex_regional"}, None)],
    ids=["as the policy has it", "as was asked", "nothing was agreed on"],
)
async def test_the_letter_says_by_when(
    ward: Ward, admin: Connection, asked: dict[str, object], minutes: int | None
) -> None:
    alert_id = await ward.alert(await ward.patient())
    done = await ward.do(JANSEN, alert_id, "escalations", asked, expect=201)
    now_us = await dispatch_now_us(admin, Settings(dispatch_time="log"))
    message = await load_message(admin, UUID(str(await _message_id(admin, alert_id))))
    assert message is not None, done
    letter = await load_letter(admin, message, now_us=now_us, programmes=shipped.programmes())
    page = render_html(letter)
    if minutes is None:
        assert letter.by_us is None
        assert "geen uiterste tijd afgesproken" in page
    else:
        by_us = now_us + minutes * MINUTE_US
        assert letter.by_us == by_us
        assert f"uiterlijk {moment(by_us, Language.NL)}?" in page


async def _message_id(admin: Connection, alert_id: UUID) -> UUID:
    found: UUID = await admin.fetchval(
        "SELECT message_id FROM message WHERE alerts = ARRAY[$1::uuid]", alert_id
    )
    return found

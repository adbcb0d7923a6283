"""What is half set up does not start; what is set up is there."""

import asyncio
import base64
from collections.abc import Mapping
from typing import Any

import pytest

from alerting.notify.channels import Note, Refused
from alerting.notify.sender import run
from alerting.notify.setting_up import opened, require_receivers
from models.db.pool import Connection, Pool
from models.errors import RefuseToStart
from models.escalations import Channel
from models.settings import Settings, load_settings
from simulators.stack import Stack

KEY = base64.b64encode(b"k" * 32).decode()
URL = "https://thuiswacht.example.org"
SMTP = {"smtp_host": "relay.example.org", "smtp_from": "melding@example.org"}


async def write(connection: Connection, note: Note) -> bytes | Refused:
    return b"%PDF"


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"smtp_host": "relay.example.org"}, "SMTP_HOST and THUISWACHT_SMTP_FROM come together"),
        ({"smtp_from": "a@example.org"}, "SMTP_HOST and THUISWACHT_SMTP_FROM come together"),
        (SMTP | {"smtp_user": "u"}, "SMTP_USER and THUISWACHT_SMTP_PASSWORD come together"),
        (SMTP | {"smtp_from": "Wij <a@example.org>"}, "SMTP_FROM is not a plain address"),
        ({"smtp_user": "u", "smtp_password": "p"}, "need THUISWACHT_SMTP_HOST"),
        ({"secure_mail_host": "x.example.org"}, "SECURE_MAIL_FROM come together"),
        ({"webhook_key": "short"}, "WEBHOOK_KEY is not 32 bytes"),
        ({"webhook_key": KEY, "webhook_key_before": "c2hvcnQ="}, "WEBHOOK_KEY_BEFORE is not 32 bytes"),
        ({"webhook_key_before": KEY}, "of use beside THUISWACHT_WEBHOOK_KEY only"),
        ({"smtp_security": "none"}, "SMTP_SECURITY"),
    ],
)
def test_half_a_setting_is_refused(given: Mapping[str, Any], said: str) -> None:
    with pytest.raises(RefuseToStart, match=said) as refused:
        load_settings(**given)
    assert KEY not in str(refused.value)


async def test_channels_are_there_as_far_as_they_are_set_up() -> None:
    async with opened(Settings(), write=write) as channels:
        assert set(channels) == {Channel.KAFKA}
    settings = load_settings(
        **SMTP,
        webhook_key=KEY,
        public_url=URL,
        secure_mail_host="x.example.org",
        secure_mail_from="a@example.org",
    )
    async with opened(settings, write=write) as channels:
        assert set(channels) == {Channel.KAFKA, Channel.WEBHOOK, Channel.EMAIL, Channel.SECURE_MAIL}
        assert all(channel.name is name for name, channel in channels.items())


async def test_an_email_has_to_say_where() -> None:
    with pytest.raises(RefuseToStart, match="THUISWACHT_PUBLIC_URL"):
        async with opened(load_settings(**SMTP), write=write):
            pass


def test_receivers_here_are_for_trials() -> None:
    require_receivers(Settings(receivers_here=True), "trial")
    with pytest.raises(RefuseToStart, match="RECEIVERS_HERE is for trial databases"):
        require_receivers(Settings(receivers_here=True), "live")


async def test_it_runs_with_what_the_settings_say(dispatch: Pool, database: str, stack: Stack) -> None:
    stop = asyncio.Event()
    stop.set()
    await run(dispatch, load_settings(kafka=stack.kafka, postgres=database), stop)

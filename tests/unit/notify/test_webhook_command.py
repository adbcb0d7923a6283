"""What a receiver is told checks what we sign, by somebody else's reading of the scheme."""

from uuid import UUID

import pytest
from click.testing import CliRunner
from standardwebhooks import Webhook

from alerting.notify.channels.webhook import secret_of, signature
from alerting.notify.commands import webhook
from models.clock import SECOND_US, wall_now_us
from models.errors import RefuseToStart

ADDRESS = UUID(int=9)
KEY = "MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE="


def test_the_secret_that_is_printed_verifies_what_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THUISWACHT_WEBHOOK_KEY", KEY)
    told = CliRunner().invoke(webhook, ["secret", str(ADDRESS)], catch_exceptions=False)
    at_s = wall_now_us() // SECOND_US
    signed = signature(secret_of(b"01234567890123456789012345678901", ADDRESS), "m1", at_s, b"{}")
    headers = {"webhook-id": "m1", "webhook-timestamp": str(at_s), "webhook-signature": signed}
    assert Webhook(told.output.strip()).verify(b"{}", headers) == {}


def test_without_a_key_it_says_how_to_make_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("THUISWACHT_WEBHOOK_KEY", raising=False)
    with pytest.raises(RefuseToStart, match="openssl rand"):
        CliRunner().invoke(webhook, ["secret", str(ADDRESS)], catch_exceptions=False)

"""Handing a mail to a relay, over TLS and nothing else."""

import ssl
from dataclasses import dataclass
from email.message import EmailMessage
from typing import Literal

import aiosmtplib

from alerting.notify.channels import Delivered, Gone, Later, Receipt, Refused

_TIMEOUT_S = 20.0
_NOBODY = (550, 551, 553)
"""RFC 5321, 4.2.3: no such mailbox, not local, name not allowed."""


@dataclass(frozen=True, slots=True)
class Relay:
    """A mail server that takes our mail.

    With `starttls` the connection begins in the open, and ends there where the server offers no TLS.
    """

    host: str
    port: int
    security: Literal["tls", "starttls"]
    sender: str
    tls: ssl.SSLContext
    user: str | None = None
    password: str | None = None

    async def hand_over(self, mail: EmailMessage, to: str) -> Receipt:
        """What the relay says to this mail for this address."""
        client = aiosmtplib.SMTP(
            hostname=self.host,
            port=self.port,
            use_tls=self.security == "tls",
            # Or not at all: a relay that does not offer it is refused.
            start_tls=self.security == "starttls",
            tls_context=self.tls,
            timeout=_TIMEOUT_S,
        )
        try:
            await client.connect()
            if self.user is not None and self.password is not None:
                await client.login(self.user, self.password)
            await client.send_message(mail, sender=self.sender, recipients=[to])
        except aiosmtplib.SMTPException as error:
            return _receipt_of(error)
        except ssl.SSLError:
            return Later("certificate")
        except OSError:
            return Later("no connection")
        finally:
            # Without a word: taking leave politely would wait for who does not answer.
            client.close()
        return Delivered()


def _receipt_of(error: aiosmtplib.SMTPException) -> Receipt:
    match error:
        case aiosmtplib.SMTPRecipientsRefused(recipients=[refused]):
            return _of_code(refused.code, of_recipient=True)
        case aiosmtplib.SMTPAuthenticationError():
            # Our password, not this message: whoever mends it finds everything still waiting.
            return Later("smtp login refused")
        case aiosmtplib.SMTPSenderRefused(code=code) | aiosmtplib.SMTPResponseException(code=code):
            return _of_code(code)
        case aiosmtplib.SMTPTimeoutError():
            return Later("timeout")
        case _ if isinstance(error.__cause__, ssl.SSLError):
            return Later("certificate")
        case _:
            return Later("no connection")


def _of_code(code: int, *, of_recipient: bool = False) -> Receipt:
    why = f"smtp {code}"
    if of_recipient and code in _NOBODY:
        return Gone(why)
    # Codes below are of a relay that was cut off in the middle.
    return Refused(why) if code >= 500 else Later(why)

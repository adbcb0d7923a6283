"""The channels that this service has, by its settings."""

from collections.abc import AsyncGenerator, Iterable
from contextlib import AsyncExitStack, asynccontextmanager

from alerting.notify.channels import Channel
from alerting.notify.channels.kafka import Kafka
from alerting.notify.channels.mail import Mail
from alerting.notify.channels.secure_mail import SecureMail, SmtpCarrier, Write
from alerting.notify.channels.webhook import Webhook
from alerting.notify.https import Https, tls_of
from alerting.notify.relay import Relay
from alerting.notify.sending import Channels
from models.db.installation import Purpose
from models.errors import RefuseToStart
from models.settings import Settings


@asynccontextmanager
async def opened(
    settings: Settings, *, write: Write, more: Iterable[Channel] = ()
) -> AsyncGenerator[Channels]:
    """The channels that are set up, and `more`, for as long as the block lasts; `write` writes letters.

    **Raises**: RefuseToStart for what is half set up.
    """
    channels: list[Channel] = [Kafka(settings), *more]
    if settings.webhook_keys:
        channels.append(Webhook(https_of(settings), settings.webhook_keys, public_url=settings.public_url))
    if settings.smtp_host is not None:
        channels.append(_mail(settings, settings.smtp_host))
    if settings.secure_mail_host is not None:
        channels.append(SecureMail(SmtpCarrier(_letters(settings, settings.secure_mail_host)), write))
    async with AsyncExitStack() as stack:
        for channel in channels:
            stack.push_async_callback(channel.close)
        yield {channel.name: channel for channel in channels}


def https_of(settings: Settings) -> Https:
    """How we talk to others' servers."""
    return Https(tls_of(settings.receivers_ca_file), own_machine=settings.receivers_here)


def require_receivers(settings: Settings, purpose: Purpose) -> None:
    """Lets receivers on this machine through in trial databases only. **Raises**: RefuseToStart."""
    if settings.receivers_here and purpose == "live":
        raise RefuseToStart(
            "THUISWACHT_RECEIVERS_HERE is for trial databases: in a live one whoever may enter an address "
            "could reach the services of this machine. Leave it out."
        )


def _mail(settings: Settings, host: str) -> Mail:
    if settings.public_url is None:
        raise RefuseToStart(
            "THUISWACHT_SMTP_HOST is set, but not THUISWACHT_PUBLIC_URL=https://HOST: an e-mail says that "
            "something waits, and has to say where."
        )
    password = settings.smtp_password
    relay = Relay(
        host,
        settings.smtp_port,
        settings.smtp_security,
        settings.smtp_from or "",
        tls_of(settings.smtp_ca_file),
        settings.smtp_user,
        None if password is None else password.get_secret_value(),
    )
    return Mail(relay, settings.public_url)


def _letters(settings: Settings, host: str) -> Relay:
    password = settings.secure_mail_password
    return Relay(
        host,
        settings.secure_mail_port,
        settings.secure_mail_security,
        settings.secure_mail_from or "",
        tls_of(settings.secure_mail_ca_file),
        settings.secure_mail_user,
        None if password is None else password.get_secret_value(),
    )

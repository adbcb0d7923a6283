"""How messages leave the service: the part of the settings that is about receivers and relays."""

import base64
from typing import Annotated, Literal, Self

from pydantic import Field, FilePath, SecretStr, model_validator
from pydantic_settings import BaseSettings

from models.endpoints import is_mail_address

KEY_BYTES = 32

Port = Annotated[int, Field(ge=0, le=65_535)]


class MessageSettings(BaseSettings):
    """Fields of `Settings`, each checked together with those that it needs."""

    alerts_topic: Annotated[
        str,
        Field(
            min_length=1,
            max_length=241,
            description="The topic on which hospitals' integration engines hear of alerts; what is about "
            "simulated patients goes to this name with .sandbox behind it.",
        ),
    ] = "thuiswacht.alerts"
    webhook_key: Annotated[
        SecretStr | None,
        Field(
            description="Secret from which those of webhooks are derived: 32 bytes in base64. Without it no "
            "webhooks are sent."
        ),
    ] = None
    webhook_key_before: Annotated[
        SecretStr | None,
        Field(description="The secret before that one, until all receivers have changed over."),
    ] = None
    tell_patients_seen: Annotated[
        bool,
        Field(
            description="Whether patients are told, through the app of their vendor, that their nurse has "
            "looked, when an alert was acknowledged."
        ),
    ] = True
    receivers_ca_file: Annotated[
        FilePath | None,
        Field(description="Certificate of an authority of receivers of messages, beside the public ones."),
    ] = None
    receivers_here: Annotated[
        bool,
        Field(description="Whether receivers may be on this machine: in trial databases only."),
    ] = False
    smtp_host: Annotated[
        str | None, Field(description="Relay for plain e-mail, which never says anything of a patient.")
    ] = None
    smtp_port: Annotated[Port, Field(description="Its port.")] = 465
    smtp_security: Annotated[
        Literal["tls", "starttls"], Field(description="How its connections are encrypted: never not.")
    ] = "tls"
    smtp_user: Annotated[str | None, Field(description="Who logs in to it.")] = None
    smtp_password: Annotated[SecretStr | None, Field(description="Their password.")] = None
    smtp_from: Annotated[str | None, Field(description="The address that e-mail comes from.")] = None
    smtp_ca_file: Annotated[
        FilePath | None, Field(description="Certificate of the authority of the relay, when it is your own.")
    ] = None
    secure_mail_host: Annotated[
        str | None, Field(description="Relay of the provider of secure mail, which carries letters.")
    ] = None
    secure_mail_port: Annotated[Port, Field(description="Its port.")] = 465
    secure_mail_security: Annotated[
        Literal["tls", "starttls"], Field(description="How its connections are encrypted: never not.")
    ] = "tls"
    secure_mail_user: Annotated[str | None, Field(description="Who logs in to it.")] = None
    secure_mail_password: Annotated[SecretStr | None, Field(description="Their password.")] = None
    secure_mail_from: Annotated[str | None, Field(description="The address that letters come from.")] = None
    secure_mail_ca_file: Annotated[
        FilePath | None, Field(description="Certificate of the authority of that relay, when it is your own.")
    ] = None

    @model_validator(mode="after")
    def _relays_are_whole(self) -> Self:
        _require_whole("SMTP", self.smtp_host, self.smtp_from, self.smtp_user, self.smtp_password is not None)
        _require_whole(
            "SECURE_MAIL",
            self.secure_mail_host,
            self.secure_mail_from,
            self.secure_mail_user,
            self.secure_mail_password is not None,
        )
        return self

    @model_validator(mode="after")
    def _webhook_keys_are_keys(self) -> Self:
        if self.webhook_key_before is not None and self.webhook_key is None:
            raise ValueError("THUISWACHT_WEBHOOK_KEY_BEFORE is of use beside THUISWACHT_WEBHOOK_KEY only")
        for name, key in (("KEY", self.webhook_key), ("KEY_BEFORE", self.webhook_key_before)):
            if key is not None and len(_bytes_of(key)) != KEY_BYTES:
                raise ValueError(
                    f"THUISWACHT_WEBHOOK_{name} is not 32 bytes in base64: make one with "
                    "`openssl rand -base64 32`"
                )
        return self

    @property
    def webhook_keys(self) -> tuple[bytes, ...]:
        """The secrets from which those of webhooks are derived, the present one first; none: no webhooks."""
        keys = (self.webhook_key, self.webhook_key_before)
        return tuple(_bytes_of(key) for key in keys if key is not None)


def _require_whole(name: str, host: str | None, sender: str | None, user: str | None, password: bool) -> None:
    if (host is None) != (sender is None):
        raise ValueError(f"THUISWACHT_{name}_HOST and THUISWACHT_{name}_FROM come together")
    if host is None and (user is not None or password):
        raise ValueError(f"THUISWACHT_{name}_USER and _PASSWORD need THUISWACHT_{name}_HOST")
    if (user is None) == password:
        raise ValueError(f"THUISWACHT_{name}_USER and THUISWACHT_{name}_PASSWORD come together")
    if sender is not None and not is_mail_address(sender):
        raise ValueError(f"THUISWACHT_{name}_FROM is not a plain address, NAME@DOMAIN")


def _bytes_of(key: SecretStr) -> bytes:
    try:
        return base64.b64decode(key.get_secret_value(), validate=True)
    except ValueError:
        return b""

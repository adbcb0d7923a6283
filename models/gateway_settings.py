"""The front gate, as it is told: where it listens, its secret, and whose word it takes for certificates."""

import base64
from typing import Annotated, Literal, Self

from pydantic import Field, SecretStr, model_validator

from models.message_settings import MessageSettings, Port

KEY_BYTES = 32


class GatewaySettings(MessageSettings):
    """Fields of `Settings` for `thuiswacht gateway` and `thuiswacht clients`."""

    gateway_host: Annotated[
        str,
        Field(
            description="Where the front gate listens; off this machine only with GATEWAY_TRUSTED_PROXIES."
        ),
    ] = "127.0.0.1"
    gateway_port: Annotated[Port, Field(description="Its port.")] = 8070
    gateway_trusted_proxies: Annotated[
        str | None,
        Field(
            description="Addresses of the TLS proxies before the front gate, separated by commas: nobody "
            "else may reach it, and they alone say from where a request comes."
        ),
    ] = None
    gateway_public_url: Annotated[
        str | None,
        Field(
            description="Address of the front gate as devices and systems see it, https://HOST[:PORT]: what "
            "systems sign for a token is meant for this address and /token."
        ),
    ] = None
    gateway_key: Annotated[
        SecretStr | None,
        Field(
            description="Secret of the front gate: 32 bytes in base64. With it the secrets of small hubs are "
            "sealed, and the addresses that tell what became of an upload."
        ),
    ] = None
    gateway_certificate_header: Annotated[
        str | None,
        Field(
            min_length=1,
            max_length=100,
            pattern=r"^[A-Za-z0-9-]+$",
            description="The header in which the proxy that ends mutual TLS puts the certificate that it "
            "verified, and which it takes away from all else; needs GATEWAY_CERTIFICATE_FORM and "
            "GATEWAY_TRUSTED_PROXIES. Without: no client is known by a certificate.",
        ),
    ] = None
    gateway_certificate_form: Annotated[
        Literal["client_cert", "xfcc", "pem", "sha256"] | None,
        Field(
            description="How it stands there: client_cert (RFC 9440, DER), xfcc (Envoy, Hash and Subject), "
            "pem (escaped for URLs, as nginx does), sha256 (the digest of the certificate, in hex)."
        ),
    ] = None
    gateway_at_work: Annotated[
        int,
        Field(
            ge=1,
            le=10_000,
            description="At most so many requests are at work at a time in the front gate; others wait, and "
            "clients take turns.",
        ),
    ] = 64

    gateway_time: Annotated[
        Literal["wall", "told"],
        Field(
            description="By which clock something was received: ours, or, in trial databases only, the time "
            "that a simulation tells with each request."
        ),
    ] = "wall"

    @model_validator(mode="after")
    def _gateway_is_set_up_whole(self) -> Self:
        if (self.gateway_certificate_header is None) != (self.gateway_certificate_form is None):
            raise ValueError(
                "THUISWACHT_GATEWAY_CERTIFICATE_HEADER and THUISWACHT_GATEWAY_CERTIFICATE_FORM come together"
            )
        if self.gateway_certificate_header is not None and self.gateway_trusted_proxies is None:
            raise ValueError(
                "THUISWACHT_GATEWAY_CERTIFICATE_HEADER needs THUISWACHT_GATEWAY_TRUSTED_PROXIES: without a "
                "proxy that ends TLS anybody could write that header"
            )
        if self.gateway_key is not None and len(_bytes_of(self.gateway_key)) != KEY_BYTES:
            raise ValueError("THUISWACHT_GATEWAY_KEY is not 32 bytes in base64: openssl rand -base64 32")
        return self

    @property
    def gateway_secret(self) -> bytes | None:
        """The secret of the front gate, where one is set."""
        return None if self.gateway_key is None else _bytes_of(self.gateway_key)


def _bytes_of(key: SecretStr) -> bytes:
    try:
        return base64.b64decode(key.get_secret_value(), validate=True)
    except ValueError:
        return b""

"""What the API is told, checked before it starts: insecure or half done is refused, with what to do."""

from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_network
from urllib.parse import urlsplit

from pydantic import SecretStr

from ingest.gateway.login.claims import WORTHLESS_ACR, ClaimMap, read_organisations, read_roles
from ingest.gateway.login.forgery import origin_of
from ingest.gateway.login.keys import private_key_from_pem
from models.db.installation import Purpose
from models.endpoints import is_loopback
from models.errors import BadInput, RefuseToStart
from models.settings import Settings, identity_key


@dataclass(frozen=True, slots=True)
class OidcSettings:
    """The OpenID provider, as far as it is told; the rest it tells itself."""

    issuer: str
    client_id: str
    client_secret: str | None
    client_key: str | None
    claims: ClaimMap


@dataclass(frozen=True, slots=True)
class ApiSettings:
    """What the API starts with."""

    public_url: str
    """Without a slash at its end."""
    oidc: OidcSettings | None
    local_accounts: bool

    @property
    def origin(self) -> str:
        """The origin of our own pages, as browsers write it."""
        return origin_of(self.public_url)


def read_configuration(settings: Settings) -> ApiSettings:
    """The settings of the API, as far as the database is not needed. **Raises**: RefuseToStart."""
    require_proxy(
        settings.api_host, settings.api_trusted_proxies, "The API", "THUISWACHT_API_TRUSTED_PROXIES"
    )
    public_url = _public_url(settings)
    oidc = _oidc(settings)
    if oidc is None and not settings.local_accounts:
        raise RefuseToStart(
            "Nobody could log in: set THUISWACHT_OIDC_ISSUER and what belongs to it, or, in a trial "
            "database, THUISWACHT_LOCAL_ACCOUNTS=true."
        )
    # Opened where it is used; refused here, before anybody waits for it.
    identity_key(settings)
    return ApiSettings(public_url, oidc, settings.local_accounts)


def require_fitting(configuration: ApiSettings, purpose: Purpose) -> None:
    """Lets settings through that may serve a database of this purpose. **Raises**: RefuseToStart."""
    if purpose == "trial":
        return
    if configuration.local_accounts:
        raise RefuseToStart(
            "This is a live database: people log in at their organisation's OpenID provider, with several "
            "factors. Take THUISWACHT_LOCAL_ACCOUNTS away."
        )
    if configuration.oidc is None:
        raise RefuseToStart("This is a live database: set THUISWACHT_OIDC_ISSUER and what belongs to it.")


def require_proxy(host: str, proxies: str | None, what: str, variable: str) -> None:
    """Lets a service listen here alone, or behind TLS proxies that are named. **Raises**: RefuseToStart."""
    if proxies is not None:
        for address in proxies.split(","):
            _require_addresses(address.strip(), variable)
    elif not is_loopback(host):
        raise RefuseToStart(
            f"{what} would listen on {host}, off this machine, without TLS. Put a TLS proxy "
            f"before it and name its address in {variable}, or listen on 127.0.0.1."
        )


def _require_addresses(text: str, variable: str) -> None:
    try:
        network = ip_network(text)
    except ValueError:
        network = None
    if network is None or network.prefixlen == 0:
        raise RefuseToStart(
            f"{variable} must be addresses or networks of your proxies; found "
            f"{text or 'nothing'}. Trusting everybody would let anybody say from where they come."
        )


def _public_url(settings: Settings) -> str:
    if settings.public_url is None:
        raise RefuseToStart(
            "No public address is set: expected THUISWACHT_PUBLIC_URL=https://HOST, as browsers see the API."
        )
    return own_address(settings.public_url, "THUISWACHT_PUBLIC_URL")


def own_address(url: str, variable: str) -> str:
    """The address of a service of ours, without a slash at its end. **Raises**: RefuseToStart."""
    _require_https(url, variable)
    parts = urlsplit(url)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise RefuseToStart(
            f"{variable} must be an address without a path (https://HOST), of which all is ours."
        )
    return url.rstrip("/")


def _require_https(url: str, variable: str) -> None:
    parts = urlsplit(url)
    if parts.scheme not in ("https", "http") or not parts.hostname or "@" in parts.netloc:
        raise RefuseToStart(f"{variable} must be an address, https://HOST…; it cannot be read as one.")
    if parts.scheme == "http" and not is_loopback(parts.hostname):
        raise RefuseToStart(
            f"{variable} is http, off this machine: whoever is on the way would read along. Use https."
        )


def _oidc(settings: Settings) -> OidcSettings | None:
    given: Mapping[str, object] = {
        "THUISWACHT_OIDC_ISSUER": settings.oidc_issuer,
        "THUISWACHT_OIDC_CLIENT_ID": settings.oidc_client_id,
        "THUISWACHT_OIDC_CLIENT_SECRET": settings.oidc_client_secret or settings.oidc_client_key,
        "THUISWACHT_OIDC_ACR_VALUES": settings.oidc_acr_values,
    }
    missing = [name for name, value in given.items() if not value]
    if len(missing) == len(given):
        return None
    if missing or settings.oidc_issuer is None:
        raise RefuseToStart(
            f"OpenID Connect is set up by half: set {' and '.join(missing)} too, or none of it. "
            + _REASONS.get(missing[0], "")
        )
    _require_https(settings.oidc_issuer, "THUISWACHT_OIDC_ISSUER")
    client_key = _secret(settings.oidc_client_key)
    if client_key is not None:
        _require_key(client_key)
    return OidcSettings(
        issuer=settings.oidc_issuer,
        client_id=settings.oidc_client_id or "",
        client_secret=_secret(settings.oidc_client_secret),
        client_key=client_key,
        claims=_claims(settings),
    )


def _require_key(pem: str) -> None:
    try:
        private_key_from_pem(pem)
    except BadInput as error:
        raise RefuseToStart(f"THUISWACHT_OIDC_CLIENT_KEY must be {error.expected}, in PEM.") from None


def _secret(value: SecretStr | None) -> str | None:
    return None if value is None else value.get_secret_value()


_REASONS = {
    "THUISWACHT_OIDC_CLIENT_SECRET": "Without a secret (or THUISWACHT_OIDC_CLIENT_KEY) anybody could be us.",
    "THUISWACHT_OIDC_ACR_VALUES": "They say which logins had several factors: a password is not enough.",
}


def _claims(settings: Settings) -> ClaimMap:
    listed = (settings.oidc_acr_values or "").split(",")
    acr_values = tuple(one.strip() for one in listed if one.strip())
    worthless = WORTHLESS_ACR.intersection(acr_values)
    if worthless or not acr_values:
        raise RefuseToStart(
            "THUISWACHT_OIDC_ACR_VALUES must name the levels at which the provider asks for several factors; "
            f"found {', '.join(worthless) or 'none'}, which stands for no login at all."
        )
    mapped = ClaimMap(acr_values, settings.oidc_role_claim, settings.oidc_organisation_claim)
    return ClaimMap(
        acr_values,
        mapped.role_claim,
        mapped.organisation_claim,
        mapped.roles if settings.oidc_roles is None else read_roles(settings.oidc_roles),
        {} if settings.oidc_organisations is None else read_organisations(settings.oidc_organisations),
    )

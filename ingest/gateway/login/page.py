"""The login page, in Dutch with a switch to English; no script, no style in the page."""

from collections.abc import Mapping, Sequence
from html import escape
from importlib.resources import files
from typing import Literal, TypeAlias

from fastapi.responses import HTMLResponse

Language: TypeAlias = Literal["nl", "en"]

STYLE = files("ingest.gateway.login").joinpath("login.css").read_text(encoding="utf-8")

_TEXTS: Mapping[Language, Mapping[str, str]] = {
    "nl": {
        "title": "Inloggen · Thuiswacht",
        "heading": "Inloggen",
        "provider": "Inloggen bij uw organisatie",
        "trial": "Dit is een proefomgeving: alle patiënten zijn bedacht.",
        "name": "Gebruikersnaam",
        "password": "Wachtwoord",
        "code": "Code uit uw app (6 cijfers)",
        "submit": "Inloggen",
        "other": "English",
        "emergency": "Thuiswacht is niet voor noodgevallen: bel dan 112.",
        "wrong": "Dit klopt niet. Controleer naam, wachtwoord en code; elke code geldt één keer.",
        "wait": "Te vaak geprobeerd. Wacht even en probeer het opnieuw.",
        "refused": "U bent bij uw organisatie ingelogd, maar mag hier niet werken. Vraag uw beheerder.",
        "factor": "Inloggen met alleen een wachtwoord is niet genoeg: gebruik een tweede factor.",
        "broken": "Het inloggen is niet gelukt of duurde te lang. Begin opnieuw.",
        "out": "U bent uitgelogd.",
    },
    "en": {
        "title": "Log in · Thuiswacht",
        "heading": "Log in",
        "provider": "Log in at your organisation",
        "trial": "This is a trial: none of the patients exist.",
        "name": "User name",
        "password": "Password",
        "code": "Code of your app (6 digits)",
        "submit": "Log in",
        "other": "Nederlands",
        "emergency": "Thuiswacht is not for emergencies: ring 112.",
        "wrong": "This is not right. Check name, password and code; each code counts once.",
        "wait": "Too many attempts. Wait a little and try again.",
        "refused": "You are logged in at your organisation, but may not work here. Ask your administrator.",
        "factor": "A password alone is not enough: use a second factor.",
        "broken": "Logging in did not work or took too long. Begin again.",
        "out": "You are logged out.",
    },
}


def language_of(asked: str | None, accepted: str) -> Language:
    """The language asked for, else what the browser prefers, else Dutch.

    >>> language_of(None, "en-GB,en;q=0.9"), language_of("nl", "en"), language_of("xx", "")
    ('en', 'nl', 'nl')
    """
    if asked in ("nl", "en"):
        return asked
    return "en" if accepted.strip().lower().startswith("en") else "nl"


def login_page(
    language: Language,
    *,
    provider: bool,
    accounts: bool,
    said: str | None = None,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """The page; `said` is the key of a text that tells what became of the last attempt."""
    text = _TEXTS[language]
    other = "en" if language == "nl" else "nl"
    parts: Sequence[str] = [
        f'<p role="alert" class="said">{escape(text[said])}</p>' if said else "",
        f'<p><a class="button" href="/login/start">{escape(text["provider"])}</a></p>' if provider else "",
        _form(text, language) if accounts else "",
    ]
    content = f"""<!doctype html>
<html lang="{language}">
<head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>{escape(text["title"])}</title><link rel="stylesheet" href="/login/login.css"></head>
<body><main>
<h1>{escape(text["heading"])}</h1>
{"".join(parts)}
<p class="small">{escape(text["emergency"])}</p>
<p class="small"><a href="/login?lang={other}" lang="{other}">{escape(text["other"])}</a></p>
</main></body></html>
"""
    return HTMLResponse(content, status_code=status, headers=headers)


def _form(text: Mapping[str, str], language: Language) -> str:
    def field(name: str, kind: str, complete: str, more: str = "") -> str:
        return (
            f'<p><label for="{name}">{escape(text[name])}</label>'
            f'<input id="{name}" name="{name}" type="{kind}" autocomplete="{complete}" required {more}></p>'
        )

    return (
        f'<p>{escape(text["trial"])}</p><form method="post" action="/login/local?lang={language}">'
        + field("name", "text", "username", 'autocapitalize="none" maxlength="100"')
        + field("password", "password", "current-password", 'maxlength="200"')
        + field("code", "text", "one-time-code", 'inputmode="numeric" maxlength="6"')
        + f'<p><button type="submit">{escape(text["submit"])}</button></p></form>'
    )

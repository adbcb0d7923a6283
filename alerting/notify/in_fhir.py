"""The channels that speak FHIR: to hospitals, and to patients through the apps of their vendors."""

from collections.abc import Sequence
from importlib.metadata import version

from alerting.engine.programme import Programme
from alerting.notify.channels import Channel
from alerting.notify.channels.fhir import FhirTransactions
from alerting.notify.channels.patient import ToPatients
from alerting.notify.patient_text_files import load_texts
from alerting.notify.setting_up import https_of
from alerting.notify.written import written_letters
from models.db.pool import Pool
from models.identity import Keys
from models.settings import Settings


def in_fhir(
    pool: Pool, settings: Settings, keys: Keys | None, programmes: Sequence[Programme]
) -> list[Channel]:
    """Both, where there is a secret to sign with; `keys` open who a letter is about.

    **Raises**: RefuseToStart for texts of patients that are not whole.
    """
    texts = load_texts()
    if not settings.webhook_keys:
        return []
    https, secrets = https_of(settings), settings.webhook_keys
    write = written_letters(pool, keys, settings.public_url, programmes)
    release = version("thuiswacht")
    return [
        FhirTransactions(https, secrets, write, release=release, public_url=settings.public_url),
        ToPatients(https, secrets, texts),
    ]

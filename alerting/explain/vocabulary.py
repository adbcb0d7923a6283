"""The words of explanations, in plain Dutch (B1) and in English: kinds, answers, units, signals."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple

from models.findings import Severity, Signal
from models.kinds import KIND_BY_NAME


class Language(StrEnum):
    """What an explanation is said in; Dutch comes first."""

    NL = "nl"
    EN = "en"


class Both(NamedTuple):
    """The same in both languages."""

    nl: str
    en: str

    def said(self, language: Language) -> str:
        """In one of them."""
        return self.nl if language is Language.NL else self.en


@dataclass(frozen=True, slots=True)
class KindWords:
    """How one speaks of a kind: `the` thing itself, and one or several readings of it.

    `article` is that of a single reading, `measured` how one comes by it.
    """

    the: str
    article: str
    reading: str
    readings: str
    measured: str

    def of(self, the: str) -> "KindWords":
        """The same of something else."""
        return replace(self, the=the)


THE: Mapping[str, Both] = {
    "body_weight": Both("het gewicht", "the weight"),
    "systolic": Both("de bovendruk", "the systolic pressure"),
    "diastolic": Both("de onderdruk", "the diastolic pressure"),
    "mean_arterial": Both("de gemiddelde bloeddruk", "the mean arterial pressure"),
    "heart_rate": Both("de hartslag", "the heart rate"),
    "pulse": Both("de polsslag", "the pulse"),
    "spo2": Both("de zuurstofsaturatie", "the oxygen saturation"),
    "supplemental_oxygen": Both("de extra zuurstof", "the supplemental oxygen"),
    "temperature": Both("de lichaamstemperatuur", "the body temperature"),
    "respiratory_rate": Both("de ademhaling", "the respiratory rate"),
    "consciousness": Both("het bewustzijn", "the consciousness"),
    "glucose": Both("de glucose (vingerprik)", "the glucose (meter)"),
    "glucose_cgm": Both("de glucose (sensor)", "the glucose (sensor)"),
    "peak_flow": Both("de piekstroom", "the peak flow"),
    "fev1": Both("de eensecondewaarde (FEV1)", "the one-second value (FEV1)"),
    "fvc": Both("de totale uitademing (FVC)", "the forced vital capacity (FVC)"),
    "steps": Both("het aantal stappen per dag", "the number of steps a day"),
    "battery": Both("de lading van de batterij", "the charge of the battery"),
    "device_state": Both("het apparaat", "the device"),
    "score_news2": Both("de NEWS2-score", "the NEWS2 score"),
}
"""Symptoms are not among them: they go by their names, in quotes."""

CODES: Mapping[str, Both] = {
    "none": Both("geen", "none"),
    "mild": Both("een beetje", "mild"),
    "moderate": Both("matig", "moderate"),
    "severe": Both("ernstig", "severe"),
    "no": Both("nee", "no"),
    "yes": Both("ja", "yes"),
    "air": Both("gewone lucht", "room air"),
    "oxygen": Both("extra zuurstof", "extra oxygen"),
    "A": Both("wakker en helder", "alert"),
    "C": Both("nieuw verward", "newly confused"),
    "V": Both("reageert op aanspreken", "responds to voice"),
    "P": Both("reageert alleen op pijn", "responds to pain only"),
    "U": Both("reageert niet", "unresponsive"),
    "ok": Both("in orde", "in order"),
    "battery_low": Both("batterij bijna leeg", "battery nearly empty"),
    "sensor_fault": Both("sensor werkt niet goed", "sensor at fault"),
    "not_worn": Both("niet gedragen", "not worn"),
    "disconnected": Both("geen verbinding", "no connection"),
    "clock_wrong": Both("klok staat verkeerd", "clock is wrong"),
    "fault": Both("storing", "fault"),
    "nothing_measured": Both("niets gemeten", "nothing measured"),
    "implausible": Both("waarde die niet kan kloppen", "value that cannot be true"),
}

UNIT_WORDS: Mapping[str, tuple[Both, Both]] = {
    "mm[Hg]": (Both("mmHg", "mmHg"), Both("mmHg", "mmHg")),
    "[lb_av]": (Both("pond (lb)", "pound (lb)"), Both("pond (lb)", "pounds (lb)")),
    "/min": (Both("keer per minuut", "time per minute"), Both("keer per minuut", "times per minute")),
    "1": (Both("", ""), Both("", "")),
    "Cel": (Both("°C", "°C"), Both("°C", "°C")),
    "[degF]": (Both("°F", "°F"), Both("°F", "°F")),
    "umol/L": (Both("µmol/L", "µmol/L"), Both("µmol/L", "µmol/L")),
    "L/min": (Both("liter per minuut", "litre per minute"), Both("liter per minuut", "litres per minute")),
    "L/s": (Both("liter per seconde", "litre per second"), Both("liter per seconde", "litres per second")),
    "L": (Both("liter", "litre"), Both("liter", "litres")),
    "mL": (Both("milliliter", "millilitre"), Both("milliliter", "millilitres")),
    "g": (Both("gram", "gram"), Both("gram", "grams")),
    "{steps}": (Both("stap", "step"), Both("stappen", "steps")),
    "{score}": (Both("punt", "point"), Both("punten", "points")),
}
"""One and several; a unit that is not here is said as it is written (kg, %, mmol/L, mg/dL, kPa)."""

PER_MINUTE: Mapping[str, tuple[Both, Both]] = {
    "heart_rate": (Both("slag per minuut", "beat per minute"), Both("slagen per minuut", "beats per minute")),
    "pulse": (Both("slag per minuut", "beat per minute"), Both("slagen per minuut", "beats per minute")),
    "respiratory_rate": (
        Both("ademhaling per minuut", "breath per minute"),
        Both("ademhalingen per minuut", "breaths per minute"),
    ),
}

DAY = Both("dag", "day"), Both("dagen", "days")
USUAL_VARIATION = Both("keer de gewone schommeling", "times the usual variation")
PERCENTAGE_POINT = Both("procentpunt", "percentage points")

SEVERITIES: Mapping[Severity, Both] = {
    Severity.LOW: Both("laag", "low"),
    Severity.MEDIUM: Both("middelhoog", "medium"),
    Severity.HIGH: Both("hoog", "high"),
}

SIGNALS: Mapping[Signal, Both] = {
    Signal.FLUID: Both("vocht", "fluid"),
    Signal.BREATHING: Both("ademhaling", "breathing"),
    Signal.PRESSURE: Both("bloeddruk", "blood pressure"),
    Signal.HEART_RATE: Both("hartslag", "heart rate"),
    Signal.GLUCOSE: Both("bloedsuiker", "blood sugar"),
    Signal.INFECTION: Both("infectie", "infection"),
    Signal.ACTIVITY: Both("beweging", "activity"),
    Signal.NUTRITION: Both("voeding", "nutrition"),
    Signal.CONSCIOUSNESS: Both("bewustzijn", "consciousness"),
    Signal.DETERIORATION: Both("achteruitgang", "deterioration"),
    Signal.SILENCE: Both("geen metingen", "no readings"),
    Signal.DEVICE: Both("apparaat", "device"),
    Signal.REMARK: Both("opmerking", "remark"),
}

MONTHS: Sequence[Both] = (
    Both("januari", "January"),
    Both("februari", "February"),
    Both("maart", "March"),
    Both("april", "April"),
    Both("mei", "May"),
    Both("juni", "June"),
    Both("juli", "July"),
    Both("augustus", "August"),
    Both("september", "September"),
    Both("oktober", "October"),
    Both("november", "November"),
    Both("december", "December"),
)
WEEKDAYS: Mapping[str, Both] = {
    "mon": Both("maandag", "Monday"),
    "tue": Both("dinsdag", "Tuesday"),
    "wed": Both("woensdag", "Wednesday"),
    "thu": Both("donderdag", "Thursday"),
    "fri": Both("vrijdag", "Friday"),
    "sat": Both("zaterdag", "Saturday"),
    "sun": Both("zondag", "Sunday"),
}

MARKS: Mapping[str, Both] = {
    "S": Both("uit een gepubliceerde bron die gelezen is", "from a published source that was read"),
    "M": Both("uit het hoofd, moet nog bevestigd worden", "from memory, still to be confirmed"),
    "P": Both("een eigen voorstel, zonder gezag", "our own proposal, without authority"),
}


def kind_name(kind: str, language: Language) -> str:
    """A kind by its name; one that is unknown as it is written."""
    known = KIND_BY_NAME.get(kind)
    return kind if known is None else Both(known.dutch, known.english).said(language)


def kind_words(kind: str, language: Language) -> KindWords:
    """How one speaks of a kind.

    >>> kind_words("symptom_dyspnoea", Language.NL).readings
    'antwoorden over ‘benauwdheid’'
    """
    dutch = language is Language.NL
    if kind not in THE:
        the = f"‘{kind_name(kind, language)}’"
        if kind in KIND_BY_NAME and KIND_BY_NAME[kind].is_coded:
            if dutch:
                return KindWords(the, "het", f"antwoord over {the}", f"antwoorden over {the}", "ingevuld")
            return KindWords(the, "the", f"answer about {the}", f"answers about {the}", "answered")
    else:
        the = THE[kind].said(language)
    if dutch:
        one, several = ("melding", "meldingen") if kind == "device_state" else ("meting", "metingen")
        return KindWords(the, "de", f"{one} van {the}", f"{several} van {the}", "gemeten")
    one, several = ("report", "reports") if kind == "device_state" else ("reading", "readings")
    return KindWords(the, "the", f"{one} of {the}", f"{several} of {the}", "measured")


def code_words(kind: str, number: float, language: Language) -> str | None:
    """An answer by its words, None where the number is none of the kind's."""
    codes = KIND_BY_NAME[kind].codes if kind in KIND_BY_NAME else ()
    if not (float(number).is_integer() and 0 <= number < len(codes)):
        return None
    code = codes[int(number)]
    return CODES[code].said(language) if code in CODES else code


def listed(parts: Sequence[str], word: Both, language: Language) -> str:
    """Several things in one sentence.

    >>> listed(["a", "b", "c"], AND, Language.NL)
    'a, b en c'
    """
    return f" {word.said(language)} ".join(part for part in (", ".join(parts[:-1]), *parts[-1:]) if part)


AND, OR = Both("en", "and"), Both("of", "or")

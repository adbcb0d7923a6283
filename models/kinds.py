"""What is measured: every kind with its codes, canonical unit, plausible range and closed list of answers.

**Source**: codes as in the LOINC, SNOMED CT and IEEE 11073-10101 tables and the Dutch zibs (2020); plausible
ranges are our own proposal, wide enough for the sickest patient at home, narrow enough for wrong units.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

NOTHING = (0.0, -100.0, 8_388_607.0)
"""What devices send for "nothing measured": no vital sign of a living person is exactly one of these."""

NOTHING_COUNTED = (-100.0, 8_388_607.0)
"""The same for what may truly be 0: steps, an empty battery, a score."""

GRADES = ("none", "mild", "moderate", "severe")
NO_YES = ("no", "yes")

BLOOD_PRESSURE_LOINC = "85354-9"
BLOOD_PRESSURE_SNOMED = "75367002"
BLOOD_PRESSURE_IEEE = "150020"
"""The panel that carries systolic, diastolic and mean together; never the code of one of them."""


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of reading; `number` is stored in the database and never changes its meaning.

    **Units**: `low`, `high` and `sentinels` in `unit` (canonical UCUM; None for a coded kind). Sentinels are
    looked for in the value as received as well. A code's number is its place in `codes`, the closed list.
    """

    number: int
    name: str
    dutch: str
    english: str
    loinc: tuple[str, ...] = ()
    snomed: tuple[str, ...] = ()
    ieee: tuple[str, ...] = ()
    unit: str | None = None
    low: float = float("nan")
    high: float = float("nan")
    low_excluded: bool = False
    codes: tuple[str, ...] = ()
    sentinels: tuple[float, ...] = ()
    dense: bool = False

    @property
    def is_coded(self) -> bool:
        """Whether readings carry an entry of a closed list instead of a number."""
        return bool(self.codes)

    @property
    def code_numbers(self) -> Mapping[str, int]:
        """Each code with the number under which it is stored."""
        return {code: number for number, code in enumerate(self.codes)}


KINDS: tuple[Kind, ...] = (
    Kind(
        0, "body_weight", "gewicht", "body weight",
        loinc=("29463-7",), snomed=("27113001",), ieee=("188736",),
        unit="kg", low=20, high=300, sentinels=NOTHING,
    ),
    Kind(
        1, "systolic", "bovendruk", "systolic pressure",
        loinc=("8480-6",), ieee=("150021",),
        unit="mm[Hg]", low=40, high=300, sentinels=NOTHING,
    ),
    Kind(
        2, "diastolic", "onderdruk", "diastolic pressure",
        loinc=("8462-4",), ieee=("150022",),
        unit="mm[Hg]", low=20, high=200, sentinels=NOTHING,
    ),
    Kind(
        # Nobody publishes a range for the mean: between the lowest diastolic and the highest systolic.
        3, "mean_arterial", "gemiddelde bloeddruk", "mean arterial pressure",
        ieee=("150023",),
        unit="mm[Hg]", low=20, high=300, sentinels=NOTHING,
    ),
    Kind(
        4, "heart_rate", "hartfrequentie", "heart rate",
        loinc=("8867-4",), snomed=("364075005",), ieee=("147842",),
        unit="/min", low=20, high=300, sentinels=NOTHING, dense=True,
    ),
    Kind(
        # FHIR's vital signs know heart rate only, so a pulse travels under its code too; 8893-0 is the zib's.
        5, "pulse", "polsfrequentie", "pulse",
        loinc=("8867-4", "8893-0"), snomed=("78564009",), ieee=("149530", "149546"),
        unit="/min", low=20, high=300, sentinels=NOTHING, dense=True,
    ),
    Kind(
        # Exactly 50 % is what oximeters without a finger send.
        6, "spo2", "zuurstofsaturatie", "oxygen saturation",
        loinc=("2708-6", "59408-5"), snomed=("431314004",), ieee=("150456",),
        unit="%", low=50, high=100, low_excluded=True, sentinels=(*NOTHING, 50.0), dense=True,
    ),
    Kind(
        7, "supplemental_oxygen", "extra zuurstof", "supplemental oxygen",
        snomed=("266702001",),
        codes=("air", "oxygen"),
    ),
    Kind(
        8, "temperature", "lichaamstemperatuur", "body temperature",
        loinc=("8310-5",), snomed=("386725007",), ieee=("150364",),
        unit="Cel", low=30, high=45, sentinels=NOTHING,
    ),
    Kind(
        9, "respiratory_rate", "ademfrequentie", "respiratory rate",
        loinc=("9279-1",), snomed=("86290005",), ieee=("151562",),
        unit="/min", low=3, high=80, sentinels=NOTHING, dense=True,
    ),
    Kind(
        # Alert, new Confusion, responds to Voice, responds to Pain, Unresponsive: the NEWS2 scale.
        10, "consciousness", "bewustzijn", "consciousness",
        loinc=("80288-4",),
        codes=("A", "C", "V", "P", "U"),
    ),
    Kind(
        11, "glucose", "glucose (vingerprik)", "glucose (meter)",
        loinc=("14743-9", "14770-2", "14760-3", "2339-0"), ieee=("160184",),
        unit="mmol/L", low=0.6, high=55, sentinels=NOTHING,
    ),
    Kind(
        # A sensor's word for "low" is a number under 39 mg/dL: clinical, so the range lets it through.
        12, "glucose_cgm", "glucose (sensor)", "glucose (continuous)",
        loinc=("99504-3", "105272-9"),
        unit="mmol/L", low=0.6, high=55, sentinels=NOTHING, dense=True,
    ),
    Kind(
        13, "peak_flow", "piekstroom", "peak flow",
        loinc=("33452-4", "19935-6"), snomed=("18491006",), ieee=("152584",),
        unit="L/min", low=30, high=900, sentinels=NOTHING,
    ),
    Kind(
        14, "fev1", "eensecondewaarde (FEV1)", "forced expiratory volume in 1 s (FEV1)",
        loinc=("20150-9",), ieee=("152586",),
        unit="L", low=0.2, high=8, sentinels=NOTHING,
    ),
    Kind(
        15, "fvc", "geforceerde vitale capaciteit (FVC)", "forced vital capacity (FVC)",
        loinc=("19868-9",), ieee=("188928",),
        unit="L", low=0.3, high=10, sentinels=NOTHING,
    ),
    Kind(
        16, "steps", "stappen per dag", "steps a day",
        loinc=("41950-7", "55423-8"),
        unit="{steps}", low=0, high=100_000, sentinels=NOTHING_COUNTED,
    ),
    Kind(
        17, "battery", "batterij van het apparaat", "battery of the device",
        ieee=("67996",),
        unit="%", low=0, high=100, sentinels=NOTHING_COUNTED,
    ),
    Kind(
        18, "device_state", "toestand van het apparaat", "state of the device",
        # The last two, and a wrong clock, are also said by us, of readings that had to be refused.
        codes=(
            "ok", "battery_low", "sensor_fault", "not_worn", "disconnected", "clock_wrong", "fault",
            "nothing_measured", "implausible",
        ),
    ),
    Kind(19, "symptom_dyspnoea", "benauwdheid", "breathlessness", codes=GRADES),
    Kind(20, "symptom_oedema", "gezwollen enkels of benen", "swollen ankles or legs", codes=GRADES),
    Kind(21, "symptom_chest_pain", "pijn op de borst", "chest pain", codes=NO_YES),
    Kind(22, "symptom_headache", "hoofdpijn", "headache", codes=GRADES),
    Kind(23, "symptom_vision", "slechter zien", "trouble seeing", codes=NO_YES),
    Kind(
        24, "symptom_neurological", "krachtverlies, verwardheid of moeite met praten",
        "weakness, confusion or trouble speaking", codes=NO_YES,
    ),
    Kind(25, "symptom_cough", "hoesten", "cough", codes=GRADES),
    Kind(26, "symptom_sputum", "slijm opgeven", "sputum", codes=GRADES),
    Kind(27, "symptom_purulence", "geel of groen slijm", "yellow or green sputum", codes=NO_YES),
    Kind(28, "symptom_wheeze", "piepende ademhaling", "wheeze", codes=GRADES),
    Kind(29, "symptom_cold", "verkoudheid", "a cold", codes=NO_YES),
    Kind(30, "symptom_fever", "koorts", "fever", codes=NO_YES),
    Kind(31, "symptom_dizziness", "duizeligheid", "dizziness", codes=GRADES),
    Kind(32, "symptom_fatigue", "moeheid", "fatigue", codes=GRADES),
    Kind(
        # Three points for each of six parameters, two for oxygen.
        33, "score_news2", "NEWS2-score", "NEWS2 score",
        loinc=("88330-6",),
        unit="{score}", low=0, high=20, sentinels=NOTHING_COUNTED,
    ),
)  # fmt: skip
"""All kinds; a kind's number is its index here. New ones go to the end."""

KIND_BY_NAME: Mapping[str, Kind] = MappingProxyType({kind.name: kind for kind in KINDS})

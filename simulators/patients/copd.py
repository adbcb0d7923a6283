"""COPD at home: questions and a finger oximeter each day, for some spirometry.

**Source**: Anthonisen's majors and minors; heart rate and saturation change about 7 days ahead of symptoms
(Al Rajeh 2020); one exacerbation in five shows no signal; saturation under 90 % agrees with events with a κ
of 0.47 to 0.56 (Cooper 2020). 1.3 exacerbations a year, shares and effects are our own proposal.
"""

from simulators.patients.condition import Condition, Devices, Effect, Event, Phase, Range, State, Trait

_PHASES = {
    State.DETERIORATING: Phase(
        days=Range(9, 14),
        hold_days=Range(1, 4),
        then={State.TREATED: 0.55, State.ADMITTED: 0.15, State.RECOVERING: 0.30},
    ),
    # A course of prednisolone or antibiotics. Four in five respond.
    State.TREATED: Phase(
        begins=Range(0.85, 1.0),
        days=Range(1, 3),
        to=0.9,
        then={State.RECOVERING: 0.8, State.ADMITTED: 0.2},
    ),
    State.ADMITTED: Phase(days=Range(3, 9), to=0.4, then={State.RECOVERING: 1.0}),
    State.RECOVERING: Phase(days=Range(5, 12), then={State.STABLE: 1.0}),
}

BACTERIAL = Event(
    name="exacerbation_bacterial",
    share=0.5,
    early=0.55,
    silent=0.2,
    phases=_PHASES,
    effect=Effect(
        spo2=Range(-9.5, -3),
        heart_rate=Range(4, 18),
        temperature=Range(0, 1.5),
        lung_function=Range(-0.40, -0.15),
        steps=Range(-0.6, -0.1),
        symptom_dyspnoea=Range(1.2, 3.2),
        symptom_sputum=Range(1.2, 3.2),
        symptom_purulence=Range(0.3, 1.4),
        symptom_cough=Range(0.5, 3),
    ),
    signals=("breathing", "heart_rate", "infection"),
)
VIRAL = Event(
    name="exacerbation_viral",
    share=0.5,
    early=0.55,
    silent=0.2,
    phases=_PHASES,
    effect=Effect(
        spo2=Range(-9, -2.5),
        heart_rate=Range(3, 15),
        temperature=Range(0, 1.2),
        lung_function=Range(-0.35, -0.12),
        steps=Range(-0.6, -0.1),
        symptom_dyspnoea=Range(1.2, 3.2),
        symptom_sputum=Range(0, 2),
        symptom_cough=Range(0.5, 3),
        symptom_wheeze=Range(0.5, 3),
        symptom_cold=Range(0.2, 1.4),
    ),
    signals=("breathing", "heart_rate", "infection"),
)

COPD = Condition(
    name="copd",
    programme="copd",
    events_per_year=1.3,
    events=(BACTERIAL, VIRAL),
    devices=Devices(oximeter=1.0, spirometer=0.4),
    weight=Trait(74, 15, 40, 130),
    heart_rate=Trait(77, 8, 60, 96),
    spo2=Trait(93.4, 1.1, 90.8, 97),
    respiratory_rate=Trait(18, 1.8, 14, 22),
    peak_flow=Trait(235, 65, 110, 420),
    steps=Trait(3_500, 1_600, 600, 9_000),
    questions=(
        "symptom_dyspnoea",
        "symptom_sputum",
        "symptom_purulence",
        "symptom_cough",
        "symptom_wheeze",
        "symptom_cold",
        "symptom_fever",
    ),
    questions_every_days=1,
)

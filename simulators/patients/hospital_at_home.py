"""Hospital at home: rounds twice a day, for half of them a sensor that measures each minute.

**Source**: parts and bands of NEWS2 (Royal College of Physicians 2017); fever under oncology treatment above
38.5 °C (Dutch leaflet). A stay of weeks, rates and effects are our own proposal.
"""

from simulators.patients.condition import (
    Adherence,
    Condition,
    Devices,
    Effect,
    Event,
    Phase,
    Range,
    State,
    Trait,
)

_STAY = Phase(days=Range(2, 8), to=0.3, then={State.RECOVERING: 1.0})

SEPSIS = Event(
    name="infection",
    share=0.5,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.5, 2.5),
            hold_days=Range(0.2, 1),
            then={State.TREATED: 0.5, State.ADMITTED: 0.4, State.RECOVERING: 0.1},
        ),
        State.TREATED: Phase(
            begins=Range(0.7, 1.0),
            days=Range(0.5, 2),
            to=0.7,
            then={State.RECOVERING: 0.75, State.ADMITTED: 0.25},
        ),
        State.ADMITTED: _STAY,
        State.RECOVERING: Phase(days=Range(1, 4), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        temperature=Range(0.6, 3.2),
        systolic=Range(-38, 0),
        diastolic=Range(-18, 0),
        heart_rate=Range(0, 18),
        respiratory_rate=Range(0, 7),
        consciousness=Range(0, 0.7),
        symptom_fatigue=Range(0, 3),
    ),
    signals=("infection", "deterioration", "heart_rate", "breathing", "pressure", "consciousness"),
    rest_days=7,
)
RESPIRATORY = Event(
    name="respiratory_failure",
    share=0.35,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.3, 3),
            hold_days=Range(0.2, 1),
            then={State.TREATED: 0.5, State.ADMITTED: 0.4, State.RECOVERING: 0.1},
        ),
        State.TREATED: Phase(
            begins=Range(0.8, 1.0),
            days=Range(0.5, 2),
            to=0.7,
            then={State.RECOVERING: 0.7, State.ADMITTED: 0.3},
        ),
        State.ADMITTED: _STAY,
        State.RECOVERING: Phase(days=Range(1, 4), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        spo2=Range(-11, -3),
        respiratory_rate=Range(2, 9),
        heart_rate=Range(0, 20),
        symptom_dyspnoea=Range(0.8, 3.4),
    ),
    signals=("breathing", "deterioration", "heart_rate"),
    rest_days=7,
)
ARRHYTHMIA = Event(
    name="arrhythmia",
    share=0.15,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.02, 0.2),
            hold_days=Range(0.2, 2),
            then={State.TREATED: 0.6, State.ADMITTED: 0.3, State.RECOVERING: 0.1},
        ),
        State.TREATED: Phase(days=Range(0.1, 0.6), to=0.9, then={State.RECOVERING: 1.0}),
        State.ADMITTED: _STAY,
        State.RECOVERING: Phase(days=Range(0.1, 0.5), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        heart_rate=Range(40, 75), systolic=Range(-25, 0), symptom_dizziness=Range(0, 3),
        symptom_chest_pain=Range(0, 0.7),
    ),
    signals=("heart_rate", "deterioration", "pressure"),
    rest_days=7,
)  # fmt: skip

HOSPITAL_AT_HOME = Condition(
    name="hospital_at_home",
    programme="hospital_at_home",
    events_per_year=5.0,
    events=(SEPSIS, RESPIRATORY, ARRHYTHMIA),
    devices=Devices(cuff=1.0, oximeter=1.0, thermometer=1.0, wearable=0.5),
    systolic=Trait(128, 10, 112, 150),
    heart_rate=Trait(74, 7, 58, 86),
    spo2=Trait(97.0, 0.6, 95.8, 98.5),
    respiratory_rate=Trait(15.5, 1.2, 13, 18),
    steps=Trait(1_500, 800, 200, 4_500),
    adherence=Adherence(regular_share=0.9, regular=Range(0.93, 1.0), irregular=Range(0.6, 0.93)),
    evening_too=True,
    questions=(
        "consciousness",
        "symptom_dyspnoea",
        "symptom_chest_pain",
        "symptom_neurological",
        "symptom_fatigue",
    ),
    questions_every_days=1,
)

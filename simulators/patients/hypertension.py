"""High blood pressure at home: two readings in the morning and two in the evening on measuring days.

**Source**: the home protocol of two readings, morning and evening (ESC 2024); home pressure SD 7.6/7.1 mmHg,
heart rate SD 7.3. The Dutch cohort of 174 patients: 0.84 measurements a patient-day, 0.48 of them alerts
under 135/85 and 180/110. Levels, shares and effects are our own proposal.
"""

from dataclasses import replace

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

RISE = Event(
    name="pressure_rise",
    share=0.66,
    early=0.4,
    phases={
        # A tablet forgotten, a new painkiller: it stays until somebody changes the drugs, or it was passing.
        State.DETERIORATING: Phase(
            days=Range(10, 25),
            hold_days=Range(7, 20),
            then={State.TREATED: 0.6, State.RECOVERING: 0.4},
        ),
        State.TREATED: Phase(days=Range(3, 8), to=0.7, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(5, 12), then={State.STABLE: 1.0}),
    },
    effect=Effect(systolic=Range(12, 32), diastolic=Range(6, 16), symptom_headache=Range(0, 1.4)),
    signals=("pressure",),
)
CRISIS = Event(
    name="pressure_crisis",
    share=0.28,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.1, 0.5),
            hold_days=Range(0.5, 2),
            then={State.TREATED: 0.6, State.ADMITTED: 0.1, State.RECOVERING: 0.3},
        ),
        State.TREATED: Phase(days=Range(0.3, 1), to=0.8, then={State.RECOVERING: 1.0}),
        State.ADMITTED: Phase(days=Range(1, 3), to=0.2, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(0.5, 2), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        systolic=Range(184, 214, absolute=True),
        diastolic=Range(102, 124, absolute=True),
        heart_rate=Range(0, 12),
        symptom_headache=Range(0, 3.4),
        symptom_vision=Range(0, 0.7),
        symptom_chest_pain=Range(0, 0.6),
        symptom_neurological=Range(0, 0.6),
        symptom_dyspnoea=Range(0, 2.8),
    ),
    signals=("pressure",),
)
TOO_LOW = Event(
    name="pressure_too_low",
    share=0.06,
    early=0.5,
    phases={
        State.DETERIORATING: Phase(
            days=Range(3, 9),
            hold_days=Range(3, 10),
            then={State.TREATED: 0.7, State.RECOVERING: 0.3},
        ),
        State.TREATED: Phase(days=Range(1, 3), to=0.6, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(2, 6), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        systolic=Range(80, 98, absolute=True), diastolic=Range(-18, -8), symptom_dizziness=Range(0, 3.4)
    ),
    signals=("pressure",),
)

HYPERTENSION = Condition(
    name="hypertension",
    programme="hypertension",
    events_per_year=0.55,
    events=(RISE, CRISIS, TOO_LOW),
    devices=Devices(cuff=1.0, scale=0.1),
    weight=Trait(84, 15, 45, 150),
    systolic=Trait(124, 5, 108, 132),
    diastolic=Trait(75, 4, 60, 81),
    spo2=Trait(97, 0.8, 94, 99),
    weight_wander=Range(0.3, 1.2),
    readings_per_session=2,
    evening_too=True,
    questions=(
        "symptom_headache",
        "symptom_dizziness",
        "symptom_vision",
        "symptom_chest_pain",
        "symptom_neurological",
        "symptom_dyspnoea",
    ),
)

UNCONTROLLED = replace(
    HYPERTENSION,
    name="hypertension_uncontrolled",
    systolic=Trait(131, 12, 106, 175),
    diastolic=Trait(79.5, 8, 58, 105),
    readings_per_session=1,
    evening_too=False,
    adherence=Adherence(regular_share=0.9, regular=Range(0.83, 0.98), irregular=Range(0.3, 0.8)),
)
"""The Dutch cohort: included because their pressure was too high; one measurement a day."""

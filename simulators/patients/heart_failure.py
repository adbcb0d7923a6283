"""Heart failure at home: weight each morning, pressure, pulse, for some saturation; now and then questions.

**Source**: weight before admission +0.9 ± 2.1 kg in 14 days against −0.2 ± 1.1 kg otherwise (Zhang 2009);
gain from about 30 days before, diverging in the last week (Chaudhry 2007); 7-day means that drift over 2 kg
in three quarters of stable patients (Ledwidge 2013); other signs than weight change a month ahead (lead of
34 days in MultiSENSE); 0.16 to 0.97 events a year. Shares, effects, what treatment does: our own proposal.
"""

from simulators.patients.condition import Condition, Devices, Effect, Event, Phase, Range, State, Trait

RECOVERY = Phase(days=Range(3, 8), then={State.STABLE: 1.0})
STAY = Phase(days=Range(3, 8), to=0.25, then={State.RECOVERING: 1.0})

FLUID = Event(
    name="fluid_overload",
    share=0.45,
    early=0.38,
    phases={
        State.DETERIORATING: Phase(
            days=Range(15, 30),
            hold_days=Range(0.5, 3),
            then={State.TREATED: 0.35, State.ADMITTED: 0.30, State.RECOVERING: 0.35},
        ),
        # A diuretic: somebody noticed before the worst. Three in four respond.
        State.TREATED: Phase(
            begins=Range(0.85, 1.0),
            days=Range(1, 3),
            to=0.8,
            then={State.RECOVERING: 0.75, State.ADMITTED: 0.25},
        ),
        State.ADMITTED: STAY,
        State.RECOVERING: RECOVERY,
    },
    effect=Effect(
        body_weight=Range(0.2, 9.5, skew=True),
        heart_rate=Range(0, 10),
        spo2=Range(-2, 0),
        symptom_dyspnoea=Range(0, 2.8),
        symptom_oedema=Range(0, 3),
        symptom_fatigue=Range(0, 2),
        steps=Range(-0.4, 0),
    ),
    signals=("fluid", "breathing", "heart_rate"),
)
BREATHLESS = Event(
    name="decompensation_without_gain",
    share=0.45,
    early=0.6,
    phases={
        State.DETERIORATING: Phase(
            days=Range(18, 40),
            hold_days=Range(1, 4),
            then={State.TREATED: 0.30, State.ADMITTED: 0.30, State.RECOVERING: 0.40},
        ),
        State.TREATED: Phase(
            begins=Range(0.8, 1.0),
            days=Range(1, 3),
            to=0.8,
            then={State.RECOVERING: 0.7, State.ADMITTED: 0.3},
        ),
        State.ADMITTED: STAY,
        State.RECOVERING: RECOVERY,
    },
    effect=Effect(
        heart_rate=Range(3, 28),
        spo2=Range(-8, -1),
        systolic=Range(-18, 0),
        symptom_dyspnoea=Range(0, 2.8),
        symptom_fatigue=Range(0, 2.5),
        steps=Range(-0.5, 0),
    ),
    signals=("breathing", "heart_rate", "pressure"),
)
FAST_RHYTHM = Event(
    name="fast_rhythm",
    share=0.10,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.1, 0.5),
            hold_days=Range(1, 4),
            then={State.TREATED: 0.5, State.ADMITTED: 0.2, State.RECOVERING: 0.3},
        ),
        State.TREATED: Phase(days=Range(0.5, 2), to=0.9, then={State.RECOVERING: 1.0}),
        State.ADMITTED: Phase(days=Range(1, 4), to=0.1, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(0.2, 1), then={State.STABLE: 1.0}),
    },
    effect=Effect(heart_rate=Range(35, 65), symptom_dyspnoea=Range(0, 2), symptom_dizziness=Range(0, 2)),
    signals=("heart_rate", "breathing"),
)

HEART_FAILURE = Condition(
    name="heart_failure",
    programme="heart_failure",
    events_per_year=0.9,
    events=(FLUID, BREATHLESS, FAST_RHYTHM),
    devices=Devices(scale=1.0, cuff=1.0, oximeter=0.4),
    weight=Trait(83, 16, 45, 150),
    systolic=Trait(123, 10, 104, 148),
    diastolic=Trait(73, 7, 56, 90),
    heart_rate=Trait(72, 7, 58, 90),
    spo2=Trait(95.8, 0.9, 93.5, 98),
    steps=Trait(3_800, 1_500, 900, 9_000),
    weight_wander=Range(0.1, 0.65),
    questions=("symptom_dyspnoea", "symptom_oedema", "symptom_fatigue", "symptom_chest_pain"),
    questions_every_days=3,
)

"""Heart failure at home: weight each morning, pressure and pulse, for some saturation; questions weekly.

**Source**: weight before admission +0.9 ± 2.1 kg in 14 days against −0.2 ± 1.1 kg otherwise (Zhang 2009);
gain from about 30 days before, diverging in the last week (Chaudhry 2007); 7-day means that drift over 2 kg
in three quarters of stable patients (Ledwidge 2013). Shares and effects beside these are our own proposal.
"""

from simulators.patients.condition import Condition, Deterioration, Effect, Range, Trait

FLUID = Deterioration(
    name="fluid_overload",
    share=0.55,
    rise_days=Range(15, 30),
    hold_days=Range(0.5, 3),
    fall_days=Range(4, 8),
    early=0.35,
    effect=Effect(
        weight_kg=Range(0.3, 8.5, skew=True),
        heart_rate=Range(0, 10),
        spo2=Range(-3, 0),
        dyspnoea=Range(0.5, 3),
    ),
    signals=("fluid", "breathing", "heart_rate"),
    admitted=0.35,
)
BREATHLESS = Deterioration(
    name="decompensation_without_gain",
    share=0.35,
    rise_days=Range(5, 14),
    hold_days=Range(1, 4),
    fall_days=Range(3, 7),
    early=0.2,
    effect=Effect(
        heart_rate=Range(3, 28), spo2=Range(-8, -1), systolic=Range(-18, 0), dyspnoea=Range(0.5, 3)
    ),
    signals=("breathing", "heart_rate", "pressure"),
    admitted=0.35,
)
FAST_RHYTHM = Deterioration(
    name="fast_rhythm",
    share=0.10,
    rise_days=Range(0.1, 0.5),
    hold_days=Range(2, 6),
    fall_days=Range(0.2, 1),
    early=0.0,
    effect=Effect(heart_rate=Range(35, 65), dyspnoea=Range(0, 2)),
    signals=("heart_rate", "breathing"),
    admitted=0.2,
)

HEART_FAILURE = Condition(
    programme="heart_failure",
    deteriorations_per_year=0.9,
    deteriorations=(FLUID, BREATHLESS, FAST_RHYTHM),
    weight=Trait(83, 16, 45, 150),
    systolic=Trait(123, 10, 104, 148),
    diastolic=Trait(73, 7, 56, 90),
    heart_rate=Trait(72, 7, 58, 90),
    spo2=Trait(95.8, 0.9, 93.5, 98),
    weight_wander=Range(0.2, 1.25),
    has_oximeter=0.4,
    questions=("symptom_dyspnoea", "symptom_oedema", "symptom_fatigue"),
)

"""High blood pressure at home: two readings in the morning and two in the evening on measuring days.

**Source**: the home protocol of two readings, morning and evening (ESC 2024); home pressure SD 7.6/7.1 mmHg,
heart rate SD 7.3. Levels, shares and effects are our own proposal.
"""

from simulators.patients.condition import Condition, Deterioration, Effect, Range, Trait

RISE = Deterioration(
    name="pressure_rise",
    share=0.7,
    rise_days=Range(10, 25),
    hold_days=Range(7, 20),
    fall_days=Range(5, 12),
    early=0.4,
    effect=Effect(systolic=Range(12, 32), diastolic=Range(6, 16)),
    signals=("pressure",),
)
CRISIS = Deterioration(
    name="pressure_crisis",
    share=0.3,
    rise_days=Range(0.1, 0.5),
    hold_days=Range(1, 3),
    fall_days=Range(0.5, 2),
    early=0.0,
    effect=Effect(systolic=Range(52, 80), diastolic=Range(22, 40), heart_rate=Range(0, 12)),
    signals=("pressure",),
)

HYPERTENSION = Condition(
    programme="hypertension",
    deteriorations_per_year=0.55,
    deteriorations=(RISE, CRISIS),
    weight=Trait(84, 15, 45, 150),
    systolic=Trait(124, 5, 108, 132),
    diastolic=Trait(75, 4, 60, 81),
    heart_rate=Trait(71, 7, 56, 88),
    spo2=Trait(97, 0.8, 94, 99),
    weight_wander=Range(0.3, 1.2),
    readings_per_session=2,
    evening_too=True,
    has_scale=0.1,
    questions=("symptom_headache", "symptom_dizziness"),
)

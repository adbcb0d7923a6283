"""Frail elderly at home: how much they move, weight once a week or more, confusion, dizziness.

**Source**: all rates and effects are our own proposal; limits as in screening for malnutrition, from memory.
"""

from simulators.patients.condition import (
    Condition,
    Devices,
    Effect,
    Event,
    Noise,
    Phase,
    Range,
    State,
    Trait,
)

LESS_ACTIVE = Event(
    name="activity_decline",
    share=0.40,
    early=0.5,
    phases={
        State.DETERIORATING: Phase(
            days=Range(7, 20),
            hold_days=Range(7, 21),
            then={State.TREATED: 0.4, State.ADMITTED: 0.1, State.RECOVERING: 0.5},
        ),
        State.TREATED: Phase(days=Range(3, 10), to=0.7, then={State.RECOVERING: 0.8, State.ADMITTED: 0.2}),
        State.ADMITTED: Phase(days=Range(3, 10), to=0.7, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(7, 20), then={State.STABLE: 1.0}),
    },
    effect=Effect(steps=Range(-0.75, -0.3), symptom_fatigue=Range(0, 2.5)),
    signals=("activity", "deterioration"),
)
WASTING = Event(
    name="weight_loss",
    share=0.25,
    early=0.9,
    rest_days=120,
    phases={
        State.DETERIORATING: Phase(
            days=Range(60, 150),
            hold_days=Range(10, 30),
            then={State.TREATED: 0.5, State.RECOVERING: 0.5},
        ),
        State.TREATED: Phase(
            begins=Range(0.7, 1.0), days=Range(10, 30), to=0.9, then={State.RECOVERING: 1.0}
        ),
        State.RECOVERING: Phase(days=Range(60, 120), then={State.STABLE: 1.0}),
    },
    effect=Effect(body_weight=Range(-9, -2.5), steps=Range(-0.2, 0)),
    signals=("nutrition",),
)
DELIRIUM = Event(
    name="delirium",
    share=0.20,
    silent=0.1,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.3, 2),
            hold_days=Range(1, 5),
            then={State.TREATED: 0.5, State.ADMITTED: 0.3, State.RECOVERING: 0.2},
        ),
        State.TREATED: Phase(days=Range(1, 4), to=0.6, then={State.RECOVERING: 1.0}),
        State.ADMITTED: Phase(days=Range(3, 10), to=0.2, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(2, 7), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        consciousness=Range(0.4, 1.3),
        steps=Range(-0.8, -0.1),
        heart_rate=Range(0, 15),
        temperature=Range(0, 1.5),
    ),
    signals=("consciousness", "infection", "activity"),
)
DIZZY = Event(
    name="dizziness",
    share=0.15,
    phases={
        State.DETERIORATING: Phase(
            days=Range(1, 4),
            hold_days=Range(3, 10),
            then={State.TREATED: 0.6, State.RECOVERING: 0.4},
        ),
        State.TREATED: Phase(days=Range(1, 4), to=0.6, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(2, 6), then={State.STABLE: 1.0}),
    },
    effect=Effect(systolic=Range(-35, -8), symptom_dizziness=Range(1, 3.4), steps=Range(-0.4, 0)),
    signals=("deterioration", "pressure", "activity"),
)

FRAIL_ELDERLY = Condition(
    name="frail_elderly",
    programme="frail_elderly",
    events_per_year=1.6,
    events=(LESS_ACTIVE, WASTING, DELIRIUM, DIZZY),
    devices=Devices(scale=1.0, wearable=1.0),
    weight=Trait(68, 13, 40, 110),
    systolic=Trait(134, 13, 105, 165),
    steps=Trait(1_900, 900, 350, 5_000),
    weight_wander=Range(0.2, 0.7),
    noise=Noise(steps_day=0.25),
    questions=("consciousness", "symptom_dizziness", "symptom_neurological", "symptom_fatigue"),
    questions_every_days=2,
)

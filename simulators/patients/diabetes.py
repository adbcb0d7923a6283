"""Diabetes at home: fingersticks, for half of them a sensor.

**Source**: levels of Battelino 2023 (too low below 3.9, far too low below 3.0 mmol/L; 3.9–10 more than 70 %
of the time in who does well). How often and how far, and all else, is our own proposal.
"""

from simulators.patients.condition import Condition, Devices, Effect, Event, Phase, Range, State, Trait

HYPO = Event(
    name="hypoglycaemia",
    share=0.94,
    rest_days=1,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.03, 0.07),
            hold_days=Range(0.02, 0.14),
            then={State.TREATED: 0.9, State.RECOVERING: 0.1},
        ),
        # They eat: it turns within a quarter of an hour.
        State.TREATED: Phase(days=Range(0.007, 0.012), to=0.8, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(0.02, 0.05), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        glucose=Range(2.2, 3.8, absolute=True),
        heart_rate=Range(0, 15),
        symptom_dizziness=Range(0, 2.5),
        consciousness=Range(0, 0.52),
    ),
    signals=("glucose", "consciousness"),
)
HYPER = Event(
    name="hyperglycaemia",
    share=0.055,
    early=0.3,
    phases={
        State.DETERIORATING: Phase(
            days=Range(2, 8),
            hold_days=Range(1, 5),
            then={State.TREATED: 0.7, State.RECOVERING: 0.3},
        ),
        State.TREATED: Phase(
            begins=Range(0.9, 1.0), days=Range(0.5, 2), to=0.7, then={State.RECOVERING: 1.0}
        ),
        State.RECOVERING: Phase(days=Range(1, 4), then={State.STABLE: 1.0}),
    },
    effect=Effect(glucose=Range(3, 9), symptom_fatigue=Range(0, 2.5)),
    signals=("glucose",),
)
KETOACIDOSIS = Event(
    name="ketoacidosis",
    share=0.005,
    phases={
        State.DETERIORATING: Phase(
            days=Range(0.5, 1.5),
            hold_days=Range(0.2, 1),
            then={State.TREATED: 0.4, State.ADMITTED: 0.6},
        ),
        State.TREATED: Phase(days=Range(0.3, 1), to=0.8, then={State.RECOVERING: 0.6, State.ADMITTED: 0.4}),
        State.ADMITTED: Phase(days=Range(1, 4), to=0.2, then={State.RECOVERING: 1.0}),
        State.RECOVERING: Phase(days=Range(0.5, 2), then={State.STABLE: 1.0}),
    },
    effect=Effect(
        glucose=Range(18, 28, absolute=True),
        heart_rate=Range(8, 25),
        respiratory_rate=Range(4, 12),
        symptom_fatigue=Range(1, 3.4),
    ),
    signals=("glucose", "heart_rate", "breathing"),
)

DIABETES = Condition(
    name="diabetes",
    programme="diabetes",
    events_per_year=45.0,
    events=(HYPO, HYPER, KETOACIDOSIS),
    devices=Devices(meter=1.0, sensor=0.5, scale=0.3),
    weight=Trait(88, 17, 48, 160),
    systolic=Trait(129, 11, 106, 155),
    glucose=Trait(7.9, 1.3, 5.6, 12),
    meal_rise=Trait(4.2, 1.0, 1.5, 7),
    questions=("symptom_fatigue", "symptom_dizziness"),
)

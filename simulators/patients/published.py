"""What was published about such patients: each figure with its source, what is tolerated beside it, and why.

What has no published figure (frail elderly, hospital at home, most of diabetes) is our own proposal.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Published:
    """One figure. The simulated one must lie between `low` and `high`; `why` they are so far apart."""

    condition: str
    name: str
    figure: str
    source: str
    low: float
    high: float
    why: str


ZHANG, CHAUDHRY, COOPER, RAJEH = "Zhang 2009", "Chaudhry 2007", "Cooper 2020", "Al Rajeh 2020"
HEART, COPD, DUTCH, DIABETES, REGION = (
    "heart_failure", "copd", "hypertension_uncontrolled", "diabetes", "region"
)  # fmt: skip
SEED = "one seed; the source is one cohort too"
HOME, WITHIN = "published for home measuring", "within a person, who was well and measured mostly"
FIVE = "five recordings (iglu)"
SUGAR = "five people with type 2 diabetes, from 0.26 to 0.95 of the time in range"
QUIET = (
    "Zhang's SD of the stable does not go with these odds: were changes as small as 1.1 kg in 14 days, at "
    "most 2 % of the stable would gain 5 lb in a week"
)

PUBLISHED: tuple[Published, ...] = (
    Published(HEART, "weight before events, mean change in 14 days, kg", "0.9", ZHANG, 0.5, 1.4, SEED),
    Published(HEART, "weight before events, SD of that, kg", "2.1", ZHANG, 1.6, 2.6, SEED),
    Published(
        HEART, "weight before events, share of changes below 1 kg", "0.52", ZHANG, 0.42, 0.70,
        "as it would be were changes normal; here they are skewed, many events come without gain",
    ),
    Published(
        HEART, "weight otherwise, mean change in 14 days, kg", "-0.2", ZHANG, -0.3, 0.1,
        "the source begins at discharge, when weight still falls",
    ),
    Published(HEART, "weight otherwise, SD of that, kg", "1.1", ZHANG, 0.9, 1.3, SEED),
    Published(HEART, "odds ratio of an event, gain in a week >2 to 5 lb", "2.77", CHAUDHRY, 1.4, 4.5, QUIET),
    Published(HEART, "odds ratio of an event, gain in a week >5 to 10 lb", "4.46", CHAUDHRY, 2.2, 16, QUIET),
    Published(HEART, "odds ratio of an event, gain in a week >10 lb", "7.65", CHAUDHRY, 3.8, 24, QUIET),
    Published(
        HEART, "gain of the last week over that of the week before", "diverges", CHAUDHRY, 1.5, 20,
        "said in words; here from a hundred events that scatter by 2 kg",
    ),
    Published(
        HEART, "gain begins before its worst, longest, days", "about 30", CHAUDHRY, 26, 35,
        "three days more for who does not respond to treatment",
    ),
    Published(
        HEART, "7-day mean drifts over 2 kg, share of the stable", "0.75", "Ledwidge 2013", 0.63, 0.87,
        "87 patients; over how long is not stated, half a year here",
    ),
    Published(HEART, "events per patient-year", "0.16 to 0.97", "by cohort", 0.16, 0.97, "as published"),
    Published(HEART, "three weights a week or more, share of people", "0.74", "e-Vita HF", 0.70, 0.78, SEED),
    Published(HEART, "SD of systolic at home, mmHg", "7.6", HOME, 7.1, 8.1, WITHIN),
    Published(HEART, "SD of diastolic at home, mmHg", "7.1", HOME, 6.6, 7.6, WITHIN),
    Published(HEART, "SD of heart rate at home, /min", "7.3", HOME, 6.8, 7.8, WITHIN),
    Published(HEART, "cuffs that are off by 5 mmHg or more, share", "0.30", HOME, 0.26, 0.34, SEED),
    Published(
        COPD, "exacerbations without any signal, share", "0.20", "telemonitoring of COPD", 0.15, 0.27,
        "some of the others stay below what can be seen",
    ),
    Published(
        COPD, "overnight heart rate changes ahead, days", "about 7", RAJEH, 4, 10,
        "before the worst, the mean of all; few patients in the source",
    ),
    Published(
        COPD, "overnight saturation changes ahead, days", "about 7", RAJEH, 4, 10,
        "before the worst, the mean of all; few patients in the source",
    ),
    Published(
        COPD, "saturation below 90 % agrees with events, κ", "0.47 to 0.56", COOPER, 0.42, 0.62,
        "what was compared with what is not stated: weeks up to the worst with as many of the stable here",
    ),
    Published(
        COPD, "FVC below its mean − 1.645 SD agrees with events, κ", "0.75", COOPER, 0.55, 0.80,
        "as one event in five has no sign, 0.80 is the most; on two days in a row here",
    ),
    Published(DUTCH, "measurements per patient-day", "0.84", "Dutch programme", 0.81, 0.87, SEED),
    Published(
        DUTCH, "measurements of 135/85 or more per patient-day", "0.48 alerts", "Dutch programme", 0.44, 0.52,
        "an alert for each; of whom 174 were, only that their pressure was treated is known",
    ),
    Published(DIABETES, "mean glucose, mmol/L", "8.9", FIVE, 7.8, 10.0, SUGAR),
    Published(DIABETES, "glucose, share of time from 3.9 to 10 mmol/L", "0.71", FIVE, 0.60, 0.82, SUGAR),
    Published(DIABETES, "glucose, share of time below 3.9 mmol/L", "0.002", FIVE, 0.001, 0.01, SUGAR),
    Published(DIABETES, "glucose, share of time above 13.9 mmol/L", "0.09", FIVE, 0.02, 0.12, SUGAR),
    Published(
        DIABETES, "coefficient of variation within a person", "0.27", FIVE, 0.17, 0.30,
        "without the error of a sensor, which comes on top",
    ),
    Published(REGION, "people", "852,000", "plan of the region", 852_000, 852_000, "exactly"),
    Published(REGION, "municipalities", "5", "plan of the region", 5, 5, "exactly"),
    Published(REGION, "wijken", "78", "plan of the region", 78, 78, "exactly"),
    Published(REGION, "patients who are followed", "40,000", "sized by", 36_000, 46_000, "a proposal"),
    Published(
        REGION, "readings per patient-day", "1 to 10", "sized by", 1, 10,
        "as published; 73 million in a year are 5",
    ),
)  # fmt: skip

"""What was published about rules in heart failure, each with what it counted, for the table."""

from dataclasses import dataclass

ZHANG = "Zhang 2009, TEN-HMS, 168 patients"
ZHANG_MEANS = "of events, an alert before; of event-free windows, those with an alert"
LEDWIDGE = "Ledwidge 2013, 87 patients, 28 episodes"
GYLLENSTEN = "Cuba Gyllensten 2016, 91 patients × 10 months"
MOAZENI = "Moazeni 2023, Utrecht, 74 patients, 64 episodes"
SENSITIVITY, PPV = "of events, an alert before", "of alerts, those of an episode"


@dataclass(frozen=True, slots=True)
class Row:
    """A rule: its version (a file here, or shipped), what was published of it, and what that counts."""

    version: str
    rule: str
    published: str
    source: str
    counts: str


ROWS: tuple[Row, ...] = (
    Row("gain_3lb_1d", "3 lb in a day", "58 %; 54 % of windows", ZHANG, ZHANG_MEANS),
    Row("gain_3lb_1d", "3 lb (1.36 kg) in a day", "46 %", LEDWIDGE, SENSITIVITY),
    Row("gain_5lb_3d", "5 lb in 3 days", "65 %; 58 % of windows", ZHANG, ZHANG_MEANS),
    Row("gain_2kg_3d", "2 kg in 3 days", "21 %", LEDWIDGE, SENSITIVITY),
    Row("gain_2kg_3d", "weight, rule of thumb", "20 %", GYLLENSTEN, SENSITIVITY),
    Row("gain_2kg_3d", "weight, rule of thumb", "precision 6 %", MOAZENI, PPV),
    Row("weight_macd", "weight, MACD", "20 %; 9 % of windows", ZHANG, ZHANG_MEANS),
    Row("weight_macd", "weight, MACD", "33 %", GYLLENSTEN, SENSITIVITY),
    Row("weight_macd", "weight, MACD", "precision 0 %", MOAZENI, PPV),
    Row("median_gain", "3 lb above the median of 7 days", "none", "ENGAGE-HF, in use", ""),
    Row("weight_ewma", "weight, EWMA", "none", "", ""),
    Row("weight_cusum", "weight, CUSUM", "none", "", ""),
    Row("weight_personal", "weight, own usual", "82 %", f"{LEDWIDGE}; a moving average", SENSITIVITY),
    Row("weight_personal", "weight, own usual", "precision 16 %", MOAZENI, PPV),
    Row("heart_rate_thumb", "heart rate, rule of thumb", "precision 7 %", MOAZENI, PPV),
    Row("heart_rate_macd", "heart rate, MACD", "precision 2 %", MOAZENI, PPV),
    Row("heart_rate_personal", "heart rate, own usual", "precision 92 %", MOAZENI, PPV),
    Row(
        "combined", "several signals combined", "70 %; 1.47 false a year; lead 34 days",
        "MultiSENSE (HeartLogic), implanted sensors, 320 patient-years, 50 events",
        "of events, an alert before; alerts that nothing explains",
    ),
    Row("before tuning", "the first version of the programme", "none", "", ""),
    Row("shipped", "the programme that is shipped", "none", "", ""),
)  # fmt: skip

DUTCH_MEASUREMENTS, DUTCH_ALERTS, DUTCH_MANUAL = 0.84, 0.48, 0.10
"""A patient-day: 174 patients, mean 207 days, 30,184 measurements, 17,293 alerts, 13,647 by themselves."""

"""Sentences as they stand on a nurse's screen: one a line, in the order value, limit, sentence."""

import pytest

from alerting.engine.expressions import Comparison, parse
from alerting.engine.programme import CODE_UNIT, Schedule
from alerting.explain.amounts import Amount
from alerting.explain.sentences import Compared, sentence
from alerting.explain.slots import Given
from alerting.explain.vocabulary import Language

Said = tuple[str, float | None, str, float, str]
"""What is written in a rule, value, unit, limit, and the sentence."""

LIMITS = {
    "low": Amount(3.9, "mmol/L"),
    "high": Amount(10.0, "mmol/L"),
    "low_us": Amount(70.0, "mg/dL"),
    "much": Amount(2.0, CODE_UNIT),
    "dry_weight": Amount(80.0, "kg"),
    "swing": Amount(0.8, "kg"),
    "scale": Amount(2.0, "1"),
}
SCHEDULES = {"weight_daily": Schedule(kind="body_weight", before="11:00", on=("mon", "thu"))}

DUTCH: list[Said] = [
    ("last(heart_rate) > x", 131.0, "/min", 110.0,
     ("De hartslag was bij de laatste meting 131 slagen per minuut; "
     "dat is meer dan de grens van 110 slagen per minuut.")),
    ("last(heart_rate) < x", 131.0, "/min", 40.0,
     ("De hartslag was bij de laatste meting 131 slagen per minuut; "
     "de grens van minder dan 40 slagen per minuut is niet bereikt.")),
    ("last(symptom_dyspnoea) >= x", 3.0, CODE_UNIT, 2.0,
     "Het laatste antwoord over ‘benauwdheid’ was: ernstig; de grens is bereikt: matig of ernstig."),
    ("last(consciousness) >= x", 1.0, CODE_UNIT, 1.0,
     ("De laatste meting van het bewustzijn was: nieuw verward; de grens is bereikt: nieuw verward, "
     "reageert op aanspreken, reageert alleen op pijn of reageert niet.")),
    ("age(body_weight) > x", 5.5, "d", 5.0,
     ("De laatste meting van het gewicht is van 5 dagen en 12 uur geleden; "
     "dat is meer dan de grens van 5 dagen.")),
    ("last(spo2) < x", None, "%", 90.0,
     "De laatste waarde van de zuurstofsaturatie is niet bekend; de grens is minder dan 90 %."),
    ("rise(body_weight, days=3) >= x", 3.5, "[lb_av]", 3.0,
     "Het gewicht steeg 3,5 pond (lb) in 3 dagen; dat is meer dan de grens van 3 pond (lb)."),
    ("rise(body_weight, days=3) > x", -0.3, "kg", 2.0,
     "Het gewicht steeg niet in 3 dagen (−0,3 kg); de grens van meer dan 2,0 kg is niet bereikt."),
    ("fall(body_weight, days=180) >= x", 5.25, "%", 5.0,
     ("Het gewicht daalde 5,3 % in 180 dagen, vergeleken met de hoogste waarde ervoor; "
     "dat is meer dan de grens van 5 %.")),
    ("fall(spo2, hours=24) >= x", 4.0, "%", 4.0,
     "De zuurstofsaturatie daalde 4 procentpunt in 1 dag; dat is precies de grens van 4 procentpunt."),
    ("mean(systolic, days=7) >= x", 134.99996, "mm[Hg]", 135.0,
     "De bovendruk was in 7 dagen gemiddeld 134,99996 mmHg; de grens van 135 mmHg of meer is niet bereikt."),
    ("slope(body_weight, days=7) > x", 0.31, "kg/d", 0.2,
     ("Het gewicht veranderde in 7 dagen gemiddeld +0,31 kg per dag, langs een rechte lijn door de metingen; "
     "dat is meer dan de grens van 0,2 kg per dag.")),
    ("missed(weight_daily, days=7) >= x", 2.0, "1", 2.0,
     ("Het gewicht is in 7 dagen 2 keer niet op tijd gemeten (afgesproken: op maandag en donderdag vóór "
     "11:00 uur); dat is precies de grens van 2.")),
    ("count(body_weight, hours=36) < x", 1.0, "1", 2.0,
     "In 36 uur was er 1 meting van het gewicht; dat is minder dan de grens van 2."),
    ("share(glucose_cgm, at_least=low, at_most=high, days=14) < x", 61.0, "%", 70.0,
     ("Van de metingen van de glucose (sensor) in 14 dagen had 61 % een waarde van 3,9 mmol/L of meer en van "
     "10,0 mmol/L of minder; dat is minder dan de grens van 70 %.")),
    ("stretch(glucose_cgm, below=low_us, hours=24) > x", 130.0, "min", 120.0,
     ("De langste tijd achter elkaar met een waarde onder 70 mg/dL bij de glucose (sensor) in 1 dag was "
     "2 uur en 10 minuten; dat is meer dan de grens van 2 uur.")),
    ("days_with(symptom_sputum, at_least=much, days=3) >= x", 1.0, "1", 2.0,
     ("In 3 dagen was er op 1 dag een antwoord over ‘slijm opgeven’ (matig of ernstig); "
     "de grens van 2 dagen of meer is niet bereikt.")),
    ("repeats(body_weight, days=7) >= x", 5.0, "1", 5.0,
     ("De nieuwste 5 metingen van het gewicht in 7 dagen hebben precies dezelfde waarde; "
     "dat is precies de grens van 5.")),
    ("deviation(heart_rate, days=28, gap=3) > x", 3.2, "1", 3.0,
     ("De hartslag wijkt vandaag +3,2 keer de gewone schommeling af van de eigen gewone waarde (uit "
     "28 dagen, tot 3 dagen geleden); dat is meer dan de grens van 3 keer de gewone schommeling.")),
    ("relative(steps, days=7, usual=28) < x", 55.0, "%", 60.0,
     ("Het aantal stappen per dag was in 7 dagen gemiddeld 55 % van de eigen gewone waarde (uit de 28 dagen "
     "ervoor); dat is minder dan de grens van 60 %.")),
    ("ewma(body_weight, smoothing=0.2, target=dry_weight, spread=swing) > x", 3.1, "1", 2.962,
     ("Het lopende gemiddelde van het gewicht (de nieuwste dag telt voor 20 %) wijkt +3,1 keer de gewone "
     "schommeling af van de streefwaarde van 80,0 kg (gewone schommeling: 0,8 kg); "
     "dat is meer dan de grens van 2,962 keer de gewone schommeling.")),
    ("cusum(spo2, slack=0.5, side=low) >= x", 5.25, "1", 5.0,
     ("De opgetelde afwijking naar beneden van de zuurstofsaturatie vanaf het begin (de eerste 14 dagen met "
     "metingen) is 5,25 keer de gewone schommeling (per dag telt alleen wat boven 0,5 keer de gewone "
     "schommeling komt); dat is meer dan de grens van 5 keer de gewone schommeling.")),
    ("macd(body_weight, short=5, long=20) > x", 0.42, "kg", 0.4,
     ("Het lopende gemiddelde van het gewicht over 5 dagen verschilt +0,42 kg van dat over 20 dagen; "
     "dat is meer dan de grens van 0,4 kg.")),
    ("news2(scale=scale) >= x", 7.0, "{score}", 7.0,
     ("De score voor acute ziekte (NEWS2, schaal 2 voor de zuurstofsaturatie) is 7 punten; "
     "dat is precies de grens van 7 punten.")),
    ("news2_missing(scale=scale) > x", 1.0, "1", 2.0,
     ("Van de 7 onderdelen van de score voor acute ziekte (NEWS2) is er 1 niet gemeten; "
     "de grens van meer dan 2 is niet bereikt.")),
]  # fmt: skip

ENGLISH: list[Said] = [
    ("last(heart_rate) > x", 131.0, "/min", 110.0,
     ("The heart rate was 131 beats per minute at the last measurement; "
     "that is more than the limit of 110 beats per minute.")),
    ("last(symptom_dyspnoea) >= x", 1.0, CODE_UNIT, 2.0,
     "The last answer about ‘breathlessness’ was: mild; the limit is not reached: moderate or severe."),
    ("rise(body_weight, days=3) > x", 2.4, "kg", 2.0,
     "The weight rose 2.4 kg in 3 days; that is more than the limit of 2.0 kg."),
    ("last(steps) < x", 12345.0, "{steps}", 20000.0,
     ("The number of steps a day was 12,345 steps at the last measurement; "
     "that is less than the limit of 20,000 steps.")),
    ("days_with(symptom_sputum, at_least=much, days=3) >= x", 1.0, "1", 2.0,
     ("In 3 days there was an answer about ‘sputum’ (moderate or severe) on 1 day; "
     "the limit of 2 days or more is not reached.")),
    ("baseline(body_weight, days=28, gap=0) > x", 80.25, "kg", 80.0,
     ("The patient's usual value of the weight (from 28 days up to today) is 80.25 kg; "
     "that is more than the limit of 80.0 kg.")),
]  # fmt: skip


def said(written: str, value: float | None, unit: str, limit: float, language: Language) -> str:
    comparison = parse(written)
    assert isinstance(comparison, Comparison)
    compared = Compared(comparison.feature, comparison.comparator, "x", unit, limit, value)
    return sentence(compared, Given(LIMITS, SCHEDULES), language)


@pytest.mark.parametrize(("written", "value", "unit", "limit", "expected"), DUTCH)
def test_in_dutch(written: str, value: float | None, unit: str, limit: float, expected: str) -> None:
    assert said(written, value, unit, limit, Language.NL) == expected


@pytest.mark.parametrize(("written", "value", "unit", "limit", "expected"), ENGLISH)
def test_in_english(written: str, value: float | None, unit: str, limit: float, expected: str) -> None:
    assert said(written, value, unit, limit, Language.EN) == expected

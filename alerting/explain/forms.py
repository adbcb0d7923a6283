"""What one says of each feature: the table of sentences, in Dutch and in English.

In braces: {v} the value, {k} what is measured, {w} the window, {reading} and {readings} of it with {article};
{having}, {had} and {being} what the bounds ask of a reading; {usual} the days of a personal baseline,
{before} those before the window; {reference} what a chart starts from; the rest as the arguments are called.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from alerting.engine.features import FeatureName as F
from alerting.explain.vocabulary import Both


@dataclass(frozen=True, slots=True)
class Form:
    """How one says a feature: with its value, and by name.

    `one` and `negative` stand in place of the statement where the value is 1, or below 0.
    """

    statement: Both
    phrase: Both
    one: Both | None = None
    negative: Both | None = None


FORMS: Mapping[F, Form] = {
    F.LAST: Form(
        Both("{k} was bij de laatste meting {v}", "{k} was {v} at the last measurement"),
        Both("de laatste waarde van {k}", "the last value of {k}"),
    ),
    F.AGE: Form(
        Both("{article} laatste {reading} is van {v} geleden", "{article} last {reading} is from {v} ago"),
        Both("de tijd sinds {article} laatste {reading}", "the time since {article} last {reading}"),
    ),
    F.COUNT: Form(
        Both("in {w} waren er {v} {readings}{having}", "in {w} there were {v} {readings}{having}"),
        Both("het aantal {readings}{having} in {w}", "the number of {readings}{having} in {w}"),
        one=Both("in {w} was er {v} {reading}{having}", "in {w} there was {v} {reading}{having}"),
    ),
    F.MEAN: Form(
        Both("{k} was in {w} gemiddeld {v}", "{k} was {v} on average in {w}"),
        Both("het gemiddelde van {k} in {w}", "the average of {k} in {w}"),
    ),
    F.MEDIAN: Form(
        Both(
            "de middelste waarde (mediaan) van {k} in {w} was {v}",
            "the middle value (median) of {k} in {w} was {v}",
        ),
        Both("de middelste waarde (mediaan) van {k} in {w}", "the middle value (median) of {k} in {w}"),
    ),
    F.MIN: Form(
        Both("de laagste waarde van {k} in {w} was {v}", "the lowest value of {k} in {w} was {v}"),
        Both("de laagste waarde van {k} in {w}", "the lowest value of {k} in {w}"),
    ),
    F.MAX: Form(
        Both("de hoogste waarde van {k} in {w} was {v}", "the highest value of {k} in {w} was {v}"),
        Both("de hoogste waarde van {k} in {w}", "the highest value of {k} in {w}"),
    ),
    F.RISE: Form(
        Both("{k} steeg {v} in {w}", "{k} rose {v} in {w}"),
        Both("de stijging van {k} in {w}", "the rise of {k} in {w}"),
        negative=Both("{k} steeg niet in {w} ({v})", "{k} did not rise in {w} ({v})"),
    ),
    F.FALL: Form(
        Both("{k} daalde {v} in {w}", "{k} fell {v} in {w}"),
        Both("de daling van {k} in {w}", "the fall of {k} in {w}"),
        negative=Both("{k} daalde niet in {w} ({v})", "{k} did not fall in {w} ({v})"),
    ),
    F.SLOPE: Form(
        Both(
            "{k} veranderde in {w} gemiddeld {v}, langs een rechte lijn door de metingen",
            "{k} changed by {v} on average in {w}, along a straight line through the readings",
        ),
        Both("de gemiddelde verandering van {k} in {w}", "the average change of {k} in {w}"),
    ),
    F.SHARE: Form(
        Both("van de {readings} in {w} {had} {v}{being}", "of the {readings} in {w}, {v} {had}{being}"),
        Both("het deel van de {readings} in {w}{having}", "the share of the {readings} in {w}{having}"),
    ),
    F.STRETCH: Form(
        Both(
            "de langste tijd achter elkaar{having} bij {k} in {w} was {v}",
            "the longest time in a row{having} for {k} in {w} was {v}",
        ),
        Both(
            "de langste tijd achter elkaar{having} bij {k} in {w}",
            "the longest time in a row{having} for {k} in {w}",
        ),
    ),
    F.DAYS_WITH: Form(
        Both("in {w} was er op {v} een {reading}{having}", "in {w} there was {a_reading}{having} on {v}"),
        Both(
            "het aantal dagen in {w} met een {reading}{having}",
            "the number of days in {w} with {a_reading}{having}",
        ),
    ),
    F.REPEATS: Form(
        Both(
            "de nieuwste {v} {readings} in {w} hebben precies dezelfde waarde",
            "the newest {v} {readings} in {w} have exactly the same value",
        ),
        Both(
            "het aantal nieuwste {readings} in {w} met precies dezelfde waarde",
            "the number of newest {readings} in {w} with exactly the same value",
        ),
        one=Both(
            "maar {v} {reading} in {w}, de nieuwste, heeft deze waarde",
            "only {v} {reading} in {w}, the newest, has this value",
        ),
    ),
    F.MISSED: Form(
        Both(
            "{k} is in {w} {v} keer niet op tijd {measured} (afgesproken: {schedule})",
            "{k} was not {measured} on time {v} times in {w} (agreed: {schedule})",
        ),
        Both(
            "het aantal keer dat {k} in {w} niet op tijd {measured} is",
            "the number of times that {k} was not {measured} on time in {w}",
        ),
        one=Both(
            "{k} is in {w} {v} keer niet op tijd {measured} (afgesproken: {schedule})",
            "{k} was not {measured} on time {v} time in {w} (agreed: {schedule})",
        ),
    ),
    F.EWMA: Form(
        Both(
            "het lopende gemiddelde van {k} (de nieuwste dag telt voor {smoothing}) "
            "wijkt {v} af van {reference}",
            "the moving average of {k} (the newest day counts for {smoothing}) is {v} away from {reference}",
        ),
        Both(
            "de afwijking van het lopende gemiddelde van {k} (de nieuwste dag telt voor {smoothing}) "
            "van {reference}",
            "the distance of the moving average of {k} (the newest day counts for {smoothing}) "
            "from {reference}",
        ),
    ),
    F.MACD: Form(
        Both(
            "het lopende gemiddelde van {k} over {short} verschilt {v} van dat over {long}",
            "the moving average of {k} over {short} differs by {v} from that over {long}",
        ),
        Both(
            "het verschil van het lopende gemiddelde van {k} over {short} met dat over {long}",
            "the difference of the moving average of {k} over {short} from that over {long}",
        ),
    ),
    F.CUSUM: Form(
        Both(
            "de opgetelde afwijking {side} van {k} vanaf {reference} is {v} "
            "(per dag telt alleen wat boven {slack} komt)",
            "the summed deviation {side} of {k} from {reference} is {v} "
            "(each day only what exceeds {slack} counts)",
        ),
        Both(
            "de opgetelde afwijking {side} van {k} vanaf {reference}",
            "the summed deviation {side} of {k} from {reference}",
        ),
    ),
    F.BASELINE: Form(
        Both(
            "de eigen gewone waarde van {k} ({usual}) is {v}",
            "the patient's usual value of {k} ({usual}) is {v}",
        ),
        Both("de eigen gewone waarde van {k} ({usual})", "the patient's usual value of {k} ({usual})"),
    ),
    F.SPREAD: Form(
        Both(
            "de eigen gewone schommeling van {k} ({usual}) is {v}",
            "the patient's usual variation of {k} ({usual}) is {v}",
        ),
        Both(
            "de eigen gewone schommeling van {k} ({usual})", "the patient's usual variation of {k} ({usual})"
        ),
    ),
    F.DEVIATION: Form(
        Both(
            "{k} wijkt vandaag {v} af van de eigen gewone waarde ({usual})",
            "{k} is today {v} away from the patient's usual value ({usual})",
        ),
        Both(
            "de afwijking van {k} vandaag van de eigen gewone waarde ({usual})",
            "the distance of {k} today from the patient's usual value ({usual})",
        ),
    ),
    F.RELATIVE: Form(
        Both(
            "{k} was in {w} gemiddeld {v} van de eigen gewone waarde (uit de {before} ervoor)",
            "{k} was in {w} on average {v} of the patient's usual value (from the {before} before)",
        ),
        Both(
            "het gemiddelde van {k} in {w}, vergeleken met de eigen gewone waarde (uit de {before} ervoor),",
            "the average of {k} in {w}, compared with the patient's usual value (from the {before} before),",
        ),
    ),
    F.NEWS2: Form(
        Both(
            "de score voor acute ziekte (NEWS2{scale}) is {v}",
            "the early warning score (NEWS2{scale}) is {v}",
        ),
        Both("de score voor acute ziekte (NEWS2{scale})", "the early warning score (NEWS2{scale})"),
    ),
    F.NEWS2_WORST: Form(
        Both(
            "het hoogste aantal punten voor één onderdeel van de score voor acute ziekte (NEWS2{scale}) "
            "is {v}",
            "the highest number of points for one part of the early warning score (NEWS2{scale}) is {v}",
        ),
        Both(
            "het hoogste aantal punten voor één onderdeel van de score voor acute ziekte (NEWS2{scale})",
            "the highest number of points for one part of the early warning score (NEWS2{scale})",
        ),
    ),
    F.NEWS2_MISSING: Form(
        Both(
            "van de 7 onderdelen van de score voor acute ziekte (NEWS2) zijn er {v} niet gemeten",
            "of the 7 parts of the early warning score (NEWS2), {v} were not measured",
        ),
        Both(
            "het aantal niet gemeten onderdelen van de score voor acute ziekte (NEWS2)",
            "the number of parts of the early warning score (NEWS2) that were not measured",
        ),
        one=Both(
            "van de 7 onderdelen van de score voor acute ziekte (NEWS2) is er {v} niet gemeten",
            "of the 7 parts of the early warning score (NEWS2), {v} was not measured",
        ),
    ),
}

OF_CODES: Mapping[F, Form] = {
    F.LAST: Form(
        Both("{article} laatste {reading} was: {v}", "{article} last {reading} was: {v}"),
        Both("{article} laatste {reading}", "{article} last {reading}"),
    ),
    F.MIN: Form(
        Both(
            "{article} minst ernstige {reading} in {w} was: {v}",
            "{article} mildest {reading} in {w} was: {v}",
        ),
        Both("{article} minst ernstige {reading} in {w}", "{article} mildest {reading} in {w}"),
    ),
    F.MAX: Form(
        Both("{article} ernstigste {reading} in {w} was: {v}", "{article} worst {reading} in {w} was: {v}"),
        Both("{article} ernstigste {reading} in {w}", "{article} worst {reading} in {w}"),
    ),
}
"""In place of the above for kinds whose readings are answers."""

OF_PERCENTAGES: Mapping[F, Form] = {
    F.RISE: Form(
        Both(
            "{k} steeg {v} in {w}, vergeleken met de laagste waarde ervoor",
            "{k} rose {v} in {w}, compared with the lowest value before",
        ),
        Both(
            "de stijging van {k} in {w}, vergeleken met de laagste waarde ervoor,",
            "the rise of {k} in {w}, compared with the lowest value before,",
        ),
        negative=Both(
            "{k} steeg niet in {w} ({v}, vergeleken met de laagste waarde ervoor)",
            "{k} did not rise in {w} ({v}, compared with the lowest value before)",
        ),
    ),
    F.FALL: Form(
        Both(
            "{k} daalde {v} in {w}, vergeleken met de hoogste waarde ervoor",
            "{k} fell {v} in {w}, compared with the highest value before",
        ),
        Both(
            "de daling van {k} in {w}, vergeleken met de hoogste waarde ervoor,",
            "the fall of {k} in {w}, compared with the highest value before,",
        ),
        negative=Both(
            "{k} daalde niet in {w} ({v}, vergeleken met de hoogste waarde ervoor)",
            "{k} did not fall in {w} ({v}, compared with the highest value before)",
        ),
    ),
}
"""In place of the above for rises and falls in per cent of the value before."""

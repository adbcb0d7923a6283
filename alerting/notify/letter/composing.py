"""From facts to a page: every sentence of a letter in one language; the template only places them."""

from collections.abc import Iterator
from dataclasses import dataclass

from alerting.explain.explanation import Explanation, Part
from alerting.explain.moments import moment, short_moment
from alerting.explain.page import headline, part_in_words
from alerting.explain.sentences import capital
from alerting.explain.vocabulary import AND, MONTHS, SEVERITIES, SIGNALS, Both, Language, listed
from alerting.notify.letter import words
from alerting.notify.letter.chart import HEIGHT, LOW_HEIGHT, Drawing, draw
from alerting.notify.letter.letter import Asked, Correction, Deed, Desk, Letter, LetterKind
from alerting.notify.letter.plain import plain
from models.escalations import Recipient, RequestKind
from models.messages import Origin


@dataclass(frozen=True, slots=True)
class Block:
    """A paragraph, a list or a chart. `style`: text, strong, label, quiet."""

    text: str = ""
    items: tuple[str, ...] = ()
    chart: Drawing | None = None
    style: str = "text"
    label: str = ""


@dataclass(frozen=True, slots=True)
class Section:
    """A part of the letter under its heading."""

    heading: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that stands in a letter, in order."""

    language: str
    responsible: str
    banner: str
    title: str
    head: tuple[tuple[str, str], ...]
    key: tuple[tuple[str, str], ...]
    sections: tuple[Section, ...]
    foot: str


def compose(letter: Letter, language: Language) -> Page:
    """The page that a letter comes to."""
    saying = _Saying(letter, language)
    return Page(
        language=language.value,
        responsible=saying.responsible(),
        banner="" if letter.origin is Origin.REAL else words.SIMULATED.said(language),
        title=saying.title(),
        head=tuple(saying.head()),
        key=tuple(saying.key()),
        sections=tuple(section for section in saying.sections() if section.blocks),
        foot=words.FOOT.said(language).format(id=letter.letter_id),
    )


def _tells(part: Part) -> bool:
    """Whether it is a reason: what was not known, or not beyond its limit, is none."""
    return part.evidence.value is not None and (part.compared is None or part.compared.reached is not False)


@dataclass(frozen=True, slots=True)
class _Saying:
    letter: Letter
    language: Language

    def responsible(self) -> str:
        accepted = self.letter.accepted
        if accepted is None:
            desk = self.letter.responsible
            return words.RESPONSIBLE.said(self.language).format(
                who=self.desk(desk), telephone=self.ring(desk)
            )
        by = plain(accepted.by)
        if accepted.at is not None:
            by = words.AT.said(self.language).format(by=by, name=plain(accepted.at))
        return words.TAKEN_OVER.said(self.language).format(
            at=moment(accepted.at_us, self.language),
            by=by,
            who=self.desk(self.letter.sender),
            telephone=self.ring(self.letter.sender),
        )

    def title(self) -> str:
        names = [SIGNALS[signal].said(self.language) for signal in self.letter.signals]
        signals = listed(names, AND, self.language)
        return words.TITLES[self.letter.kind].said(self.language).format(signals=signals)

    def head(self) -> Iterator[tuple[str, str]]:
        role = capital(words.RECIPIENTS[self.letter.recipient].said(self.language))
        name = self.letter.to.name
        yield words.TO.said(self.language), role if name is None else f"{role}, {plain(name)}"
        yield words.FROM.said(self.language), capital(self.desk(self.letter.sender))
        yield words.DATE.said(self.language), moment(self.letter.written_at_us, self.language)

    def key(self) -> Iterator[tuple[str, str]]:
        yield words.PATIENT.said(self.language), self.patient()
        if self.letter.correction is None or self.letter.correction.stands:
            yield words.REQUEST.said(self.language), words.REQUESTS[self.letter.request].said(self.language)
            yield words.BY.said(self.language), self.by()
        else:
            yield words.ASKED.said(self.language), words.NOT_ASKED.said(self.language)
        sender = self.letter.sender
        yield words.RING.said(self.language), f"{self.ring(sender)} ({self.desk(sender)})"

    def patient(self) -> str:
        person, id_ = self.letter.person, self.letter.patient_id
        if person is None:
            link = self.letter.link
            where = "" if link is None else f": {plain(link)}"
            return words.LOOK_UP.said(self.language).format(id=id_, where=where)
        birth = person.birth_date
        date = f"{birth.day} {MONTHS[birth.month - 1].said(self.language)} {birth.year}"
        name = plain(f"{person.given_names} {person.family_name}".strip())
        parts = [words.BORN.said(self.language).format(name=name, date=date)]
        if person.telephone:
            parts.append(words.TELEPHONE.said(self.language).format(telephone=plain(person.telephone)))
        return "; ".join(parts)

    def sections(self) -> Iterator[Section]:
        correction = self.letter.correction
        if correction is not None:
            yield self.section(words.CHANGED, self.changes(correction))
        yield self.section(words.SITUATION, self.situation())
        yield self.section(words.BACKGROUND, self.background())
        yield self.section(words.ASSESSMENT, self.assessment())
        yield self.section(words.ASKED, self.request())

    def section(self, heading: Both, blocks: Iterator[Block]) -> Section:
        return Section(heading.said(self.language), tuple(blocks))

    def situation(self) -> Iterator[Block]:
        for finding in self.letter.findings:
            yield Block(self.headline(finding))
        if not self.letter.findings and not self.letter.remarks:
            yield Block(words.NO_FINDINGS.said(self.language))
        if self.letter.more_findings:
            yield Block(words.MORE_FINDINGS.said(self.language).format(n=self.letter.more_findings))
        for remark in self.letter.remarks:
            at = moment(remark.at_us, self.language)
            yield Block(words.REMARK.said(self.language).format(at=at, text=plain(remark.text)))
        drawn = [series for series in self.letter.series if series.points]
        # Several are lower, so that what is asked stays on the first page.
        height = HEIGHT if len(drawn) == 1 else LOW_HEIGHT
        for series in drawn:
            yield Block(chart=draw(series, self.language, height))

    def background(self) -> Iterator[Block]:
        titles = [
            dutch if self.language is Language.NL else english for dutch, english in self.letter.programmes
        ]
        if titles:
            yield Block(listed(titles, AND, self.language), label=words.PROGRAMME.said(self.language))
        missing = words.NOT_RECORDED.said(self.language)
        for label, text in (
            (words.PLAN, self.letter.treatment_plan),
            (words.WISHES, self.letter.advance_care),
        ):
            yield Block(plain(text or "") or missing, label=label.said(self.language))
        if self.letter.language != "nl":
            code = self.letter.language
            name = words.LANGUAGES[code].said(self.language) if code in words.LANGUAGES else plain(code)
            yield Block(name, label=words.SPEAKS.said(self.language))

    def assessment(self) -> Iterator[Block]:
        sentences = dict.fromkeys(
            part_in_words(part, because.given, self.language)
            for finding in self.letter.findings
            for because in finding.because
            for part in because.parts
            if _tells(part)
        )
        if sentences:
            yield Block(items=tuple(sentences))
        deeds = [self.deed(deed) for deed in self.letter.done if deed.event in words.DEEDS]
        deeds += [self.earlier(asked) for asked in self.letter.earlier]
        label = words.DONE.said(self.language)
        if deeds:
            yield Block(items=tuple(deeds), label=label)
        else:
            yield Block(words.NOTHING_DONE.said(self.language), label=label)

    def request(self) -> Iterator[Block]:
        letter, correction = self.letter, self.letter.correction
        if correction is not None and not correction.stands:
            text = words.WITHDRAWN.said(self.language)
            sent = moment(correction.sent_at_us, self.language)
            yield Block(text.format(sent=sent, telephone=self.ring(letter.sender)), style="strong")
            return
        yield Block(self.asked(), style="strong")
        if letter.question is not None:
            question = Both(*letter.question).said(self.language)
            yield Block(plain(question), label=words.QUESTION.said(self.language))
        if letter.reason is not None and letter.asked_by is not None:
            text = words.REASON.said(self.language)
            yield Block(text.format(by=plain(letter.asked_by), text=plain(letter.reason)))
        elif letter.asked_by is None:
            yield Block(words.BY_POLICY.said(self.language), style="quiet")
        link = "" if letter.link is None else words.OR_AT.said(self.language).format(link=plain(letter.link))
        how = words.HOW_TO_ANSWER if letter.kind is LetterKind.QUESTION else words.HOW
        yield Block(how.said(self.language).format(telephone=self.whom_to_ring(letter.sender), link=link))

    def asked(self) -> str:
        letter = self.letter
        text = words.ASK[letter.kind]
        if letter.kind is LetterKind.ESCALATION and letter.recipient is Recipient.HOME_VISIT:
            text = words.ASK_VISIT
        sent = "" if letter.correction is None else moment(letter.correction.sent_at_us, self.language)
        return text.said(self.language).format(by=self.by_then(), sent=sent)

    def changes(self, correction: Correction) -> Iterator[Block]:
        sent = moment(correction.sent_at_us, self.language)
        yield Block(words.CORRECTS.said(self.language).format(id=correction.corrects, sent=sent))
        deeds = tuple(self.deed(deed) for deed in correction.changes if deed.event in words.DEEDS)
        yield Block(items=deeds) if deeds else Block(words.NO_CHANGES.said(self.language))

    def headline(self, finding: Explanation) -> str:
        found, over = finding.finding, ""
        if found.retracted:
            over = words.RETRACTED.said(self.language)
        elif found.cleared_at_us is not None:
            over = words.OVER.said(self.language).format(at=moment(found.cleared_at_us, self.language))
        text = words.HEADLINE.said(self.language).format(
            text=plain(headline(finding, self.language)),
            at=moment(found.opened_at_us, self.language),
            severity=SEVERITIES[found.severity].said(self.language),
            over=over,
        )
        return f"{text} {words.UNCONFIRMED.said(self.language)}" if found.unconfirmed else text

    def deed(self, deed: Deed) -> str:
        until = "" if deed.until_us is None else moment(deed.until_us, self.language)
        what = (
            words.DEEDS[deed.event]
            .said(self.language)
            .format(
                until="" if not until else words.UNTIL.said(self.language).format(at=until),
                severity="" if deed.severity is None else SEVERITIES[deed.severity].said(self.language),
            )
        )
        who = "" if deed.by is None else f"{plain(deed.by)} "
        said = "" if deed.text is None else f": {plain(deed.text)}"
        full_stop = "" if said.endswith((".", "?", "!")) else "."
        return f"{short_moment(deed.at_us, self.language)}: {who}{what}{said}{full_stop}"

    def earlier(self, asked: Asked) -> str:
        who = words.RECIPIENTS[asked.recipient].said(self.language)
        return words.EARLIER.said(self.language).format(
            at=short_moment(asked.at_us, self.language),
            who=who if asked.name is None else f"{who}, {plain(asked.name)}",
            state=words.STATES[asked.state].said(self.language),
        )

    def desk(self, desk: Desk) -> str:
        name = words.NO_NAME.said(self.language) if desk.name is None else plain(desk.name)
        return words.ROLE_AT.said(self.language).format(
            role=words.ROLES[desk.role].said(self.language), name=name
        )

    def ring(self, desk: Desk) -> str:
        return words.NO_TELEPHONE.said(self.language) if desk.telephone is None else plain(desk.telephone)

    def whom_to_ring(self, desk: Desk) -> str:
        return words.THE_SENDER.said(self.language) if desk.telephone is None else plain(desk.telephone)

    def by(self) -> str:
        if self.letter.by_us is not None:
            return moment(self.letter.by_us, self.language)
        acute = self.letter.request is RequestKind.ACUTE
        return (words.NOW if acute else words.NO_TIME).said(self.language)

    def by_then(self) -> str:
        """The same as the end of a sentence, empty where no time was agreed on."""
        if self.letter.by_us is not None:
            at = moment(self.letter.by_us, self.language)
            return words.BY_THEN.said(self.language).format(at=at)
        acute = self.letter.request is RequestKind.ACUTE
        return words.AT_ONCE.said(self.language) if acute else ""

"""From columns to the bytes of the log: each message in the canonical order of fields."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from models.kinds import KINDS
from simulators.devices.uploads import ABSENT_TEXTS, NO_OFFSET, REMARKS, UNIT_TEXTS, Content, Lines, Uploads
from simulators.patients.measurements import NO_GROUP, Device
from simulators.patients.streams import uuid_texts
from simulators.scenarios.follow_up import change_messages
from simulators.scenarios.scenario import Day, Scenario

TICK = -1
"""Stands for "no patient": a clock message, which goes to every partition."""
TORN_BYTES = 2


@dataclass(frozen=True, slots=True)
class Message:
    """One message on its way; `patient` is a row of the scenario's patients, or TICK."""

    at_us: int
    patient: int
    value: bytes
    readings: int


class Encoder:
    """Encodes a scenario's days; knows the texts that repeat."""

    def __init__(self, scenario: Scenario, tick_us: int) -> None:
        self.scenario = scenario
        self.tick_us = tick_us
        self._middles: dict[int, str] = {}
        self._head = [
            (f'{{"kind":"{kind.name}","value":', f',"unit":"{unit}","taken_at_us":')
            for kind in KINDS
            for unit in UNIT_TEXTS
        ]

    def day(self, day: Day) -> Iterator[Message]:
        """The messages of a day in order of arrival: changes, uploads, clock ticks."""
        values = self.uploads(day.uploads)
        uploads = map(
            Message,
            day.uploads.received_at_us.tolist(),
            day.uploads.patient.tolist(),
            values,
            day.uploads.count.tolist(),
        )
        texts = change_messages(
            self.scenario.seed, day.number, day.changes, self.scenario.population.patient_text
        )
        changes = [
            Message(change.at_us, change.patient, value, 0)
            for change, value in zip(day.changes, texts, strict=True)
        ]
        ticks = [
            Message(at_us, TICK, clock_message(at_us), 0)
            for at_us in range(day.midnight_us, day.until_us, self.tick_us)
        ]
        # Stable: at the same moment a change comes first and the clock last.
        everything = [*changes, *uploads, *ticks]
        everything.sort(key=_at)
        return iter(everything)

    def uploads(self, uploads: Uploads) -> list[bytes]:
        """The messages of uploads, in their order."""
        lines = self.lines(uploads.lines)
        ends = np.cumsum(uploads.count).tolist()
        begins = [0, *ends[:-1]]
        places = (uploads.patient.astype(np.int64) * len(Device) + uploads.device).tolist()
        middle = self._middles
        for place in set(places) - middle.keys():
            middle[place] = self._middle(*divmod(place, len(Device)))
        messages = [
            f'{{"schema":1,"type":"upload","upload_id":"{upload_id}{middle[place]}{sent_at_us},'
            f'"received_at_us":{received_at_us},"readings":[{",".join(lines[begin:end])}]}}'.encode()
            for upload_id, place, sent_at_us, received_at_us, begin, end in zip(
                uuid_texts(uploads.upload_id),
                places,
                uploads.sent_at_us.tolist(),
                uploads.received_at_us.tolist(),
                begins,
                ends,
                strict=True,
            )
        ]
        for torn in np.flatnonzero(uploads.broken).tolist():
            messages[torn] = messages[torn][:-TORN_BYTES]
        return messages

    def _middle(self, patient: int, device: int) -> str:
        """What stands in each upload of a device."""
        homes = self.scenario.homes
        # Strangers use some patient's device: nobody knows them, so it does not matter whose.
        owner = patient % len(self.scenario.population)
        return (
            f'","patient_id":"{self.scenario.patient_texts[patient]}",'
            f'"device_id":"{homes.device_text(owner, Device(device))}",'
            f'"source":"{homes.source_text(owner)}","sent_at_us":'
        )

    def lines(self, lines: Lines) -> list[str]:
        """Each reading as a JSON object."""
        head = self._head
        places = (lines.kind.astype(np.int64) * len(UNIT_TEXTS) + lines.unit).tolist()
        texts = [
            f"{head[place][0]}{value:.15g}{head[place][1]}{taken_at_us}{tail}"
            for place, value, taken_at_us, tail in zip(
                places, lines.value.tolist(), lines.taken_at_us.tolist(), _tails(lines), strict=True
            )
        ]
        for row in np.flatnonzero(lines.content != Content.VALUE).tolist():
            texts[row] = _unusual(lines, row)
        return texts


def clock_message(now_us: int) -> bytes:
    """A tick."""
    return b'{"schema":1,"type":"clock","now_us":%d}' % now_us


def _at(message: Message) -> int:
    return message.at_us


def _tails(lines: Lines) -> list[str]:
    """What follows the time: revision, group, offset, where there are any."""
    plain = (lines.revision == 0) & (lines.offset_min == NO_OFFSET)
    groups: list[int] = lines.group.tolist()
    tails = [_GROUP_TAILS[group] for group in groups]
    for row in np.flatnonzero(~plain).tolist():
        tails[row] = _tail(int(lines.revision[row]), int(lines.group[row]), int(lines.offset_min[row]))
    return tails


def _tail(revision: int, group: int, offset_min: int) -> str:
    return (
        (f',"revision":{revision}' if revision else "")
        + (f',"group":"g{group}"' if group != NO_GROUP else "")
        + (f',"utc_offset_min":{offset_min}' if offset_min != NO_OFFSET else "")
        + "}"
    )


_GROUP_TAILS = [*(_tail(0, group, NO_OFFSET) for group in range(8)), _tail(0, NO_GROUP, NO_OFFSET)]
"""Its last entry is the one that NO_GROUP finds."""


def _unusual(lines: Lines, row: int) -> str:
    kind, code = KINDS[int(lines.kind[row])], int(lines.code[row])
    match Content(int(lines.content[row])):
        case Content.CODE:
            content = f'"code":"{kind.codes[code]}"'
        case Content.ABSENT:
            content = f'"absent":"{ABSENT_TEXTS[code]}"'
        case Content.TEXT:
            content = f'"text":"{REMARKS[code]}"'
        case _:
            content = '"void":true'
    tail = _tail(int(lines.revision[row]), int(lines.group[row]), int(lines.offset_min[row]))
    return f'{{"kind":"{kind.name}",{content},"taken_at_us":{int(lines.taken_at_us[row])}{tail}'

"""Readings of a scenario as a file of Parquet, as they arrive; nothing is held for long."""

import hashlib
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from types import TracebackType
from typing import Any, BinaryIO, Self

import numpy as np
from numpy.typing import NDArray

from alerting.offline.arrow import arrow, parquet
from models.kinds import KINDS
from simulators.devices.uploads import UNIT_TEXTS, Content, Uploads
from simulators.patients.measurements import Device
from simulators.scenarios.scenario import Scenario

GROUP_ROWS = 1 << 20
"""Rows that are written together: what readers take at once."""
DICTIONARY_BYTES = 1 << 28
"""Texts of patients and devices stay a dictionary, however many there are."""
MOMENT: Any = arrow.timestamp("us", tz="UTC")
SCHEMA: Any = arrow.schema(
    [
        ("patient_id", arrow.dictionary(arrow.int32(), arrow.string())),
        ("kind", arrow.dictionary(arrow.int32(), arrow.string())),
        ("taken_at", MOMENT),
        ("value", arrow.float64()),
        ("unit", arrow.dictionary(arrow.int32(), arrow.string())),
        ("code", arrow.dictionary(arrow.int32(), arrow.string())),
        ("device_id", arrow.dictionary(arrow.int32(), arrow.string())),
        ("received_at", MOMENT),
        ("revision", arrow.int32()),
        ("void", arrow.bool_()),
    ]
)
TEXTS = ("patient_id", "kind", "unit", "code", "device_id")
MOMENTS = ("taken_at", "received_at")
SAYABLE = (Content.VALUE, Content.CODE, Content.VOID)
"""What a file of readings has a word for: what was not measured, and remarks, are on the log alone."""

Numbers = dict[str, NDArray[Any]]


class ReadingsFile:
    """A file that takes in uploads; at the end of its block it is whole.

    `digest` is of what it says, the same whichever version of pyarrow wrote it.
    """

    def __init__(self, file: BinaryIO, scenario: Scenario) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()
        self._vocabulary = _Vocabulary(scenario)
        self._waiting: list[Numbers] = []
        self._waiting_rows = 0
        self._writer: Any = parquet.ParquetWriter(
            file,
            SCHEMA,
            compression="zstd",
            compression_level=1,
            use_dictionary=list(TEXTS),
            dictionary_pagesize_limit=DICTIONARY_BYTES,
            column_encoding=dict.fromkeys(MOMENTS, "DELTA_BINARY_PACKED"),
        )
        self._pool = ThreadPoolExecutor(1, "write")
        self._being_written: Future[None] | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._flush()
                self._settle()
        finally:
            self._pool.shutdown()
            self._writer.close()

    @property
    def digest(self) -> str:
        """Of all rows; to be asked at the end."""
        return self._digest.hexdigest()

    def take(self, uploads: Uploads) -> None:
        """Takes uploads in that come after those before."""
        numbers = self._vocabulary.numbers(uploads)
        rows = len(numbers["kind"])
        self.rows += rows
        self._waiting.append(numbers)
        self._waiting_rows += rows
        if self._waiting_rows >= GROUP_ROWS:
            self._flush()

    def _flush(self) -> None:
        """Has what waits written, by a thread of its own: C++ and hashing leave Python to the patients."""
        if not self._waiting:
            return
        part = {name: np.concatenate([one[name] for one in self._waiting]) for name in SCHEMA.names}
        self._waiting, self._waiting_rows = [], 0
        self._settle()
        self._being_written = self._pool.submit(self._write, part)

    def _settle(self) -> None:
        if self._being_written is not None:
            self._being_written.result()

    def _write(self, part: Numbers) -> None:
        for name in SCHEMA.names:
            self._digest.update(np.ascontiguousarray(part[name]).data)
        self._writer.write_table(self._vocabulary.table(part), row_group_size=len(part["kind"]))


class _Vocabulary:
    """The texts that numbers stand for."""

    def __init__(self, scenario: Scenario) -> None:
        self._known = len(scenario.population)
        # Many kinds have the same answers; a dictionary has each text once.
        codes = list(dict.fromkeys(code for kind in KINDS for code in kind.codes))
        self._codes = np.full((len(KINDS), max(len(kind.codes) for kind in KINDS)), -1, np.int32)
        for kind in KINDS:
            self._codes[kind.number, : len(kind.codes)] = [codes.index(code) for code in kind.codes]
        self._texts: dict[str, Any] = {
            "patient_id": _texts(scenario.patient_texts),
            "kind": _texts([kind.name for kind in KINDS]),
            "unit": _texts(UNIT_TEXTS),
            "code": _texts(codes),
        }
        self._homes = scenario.homes
        self._place_of_device = np.full(self._known * len(Device), -1, np.int32)
        self._device_texts: list[str] = []

    def numbers(self, uploads: Uploads) -> Numbers:
        """The rows of uploads as columns of numbers, without what a file has no word for."""
        lines = uploads.lines
        count = uploads.count
        said = np.isin(lines.content, SAYABLE) & np.repeat(~uploads.broken, count)
        patient = np.repeat(uploads.patient, count)
        device = np.repeat(uploads.device, count).astype(np.int32)
        value = lines.content == Content.VALUE
        answer = lines.content == Content.CODE
        code = self._codes[lines.kind, np.where(answer, lines.code, 0)]
        columns: Numbers = {
            "patient_id": patient,
            "kind": lines.kind.astype(np.int32),
            "taken_at": lines.taken_at_us,
            "value": np.where(value, lines.value, np.nan),
            "unit": np.where(value, lines.unit, -1).astype(np.int32),
            "code": np.where(answer, code, -1),
            # Strangers use somebody's device, as on the log.
            "device_id": (patient % self._known) * np.int32(len(Device)) + device,
            "received_at": np.repeat(uploads.received_at_us, count),
            "revision": lines.revision,
            "void": lines.content == Content.VOID,
        }
        return columns if said.all() else {name: column[said] for name, column in columns.items()}

    def table(self, part: Numbers) -> Any:
        """Columns of numbers as a table of arrow."""
        return arrow.table([self._column(name, part[name]) for name in SCHEMA.names], schema=SCHEMA)

    def _column(self, name: str, numbers: NDArray[Any]) -> Any:
        if name == "device_id":
            return arrow.DictionaryArray.from_arrays(self._places(numbers), _texts(self._device_texts))
        if name in TEXTS:
            places = arrow.array(numbers, mask=numbers < 0)
            return arrow.DictionaryArray.from_arrays(places, self._texts[name])
        if name in MOMENTS:
            return arrow.array(numbers).cast(MOMENT)
        return arrow.array(numbers, mask=np.isnan(numbers) if name == "value" else None)

    def _places(self, devices: NDArray[np.int32]) -> Any:
        """Where devices stand among those that were met so far; of most a home has no more than two."""
        new = np.unique(devices[self._place_of_device[devices] < 0])
        self._place_of_device[new] = len(self._device_texts) + np.arange(len(new), dtype=np.int32)
        self._device_texts += [
            self._homes.device_text(device // len(Device), Device(device % len(Device)))
            for device in new.tolist()
        ]
        return arrow.array(self._place_of_device[devices])


def _texts(texts: Sequence[str]) -> Any:
    return arrow.array(texts, arrow.string())

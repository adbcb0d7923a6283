"""Where a simulation goes that ends in files which `evaluate` and `backtest` read."""

from dataclasses import dataclass
from pathlib import Path
from typing import Self

from models.errors import BadInput

PARQUET = ".parquet"


@dataclass(frozen=True, slots=True)
class Destination:
    """A folder for a cohort, or the files of its parts; None for those that are not wished for."""

    folder: Path | None = None
    readings: Path | None = None
    registrations: Path | None = None
    labels: Path | None = None

    @classmethod
    def of(cls, out: str, registrations: Path | None, labels: Path | None) -> Self | None:
        """What `--out` asks for; None where it is a log of messages.

        >>> Destination.of("cohort/", None, None).folder, Destination.of("log.ndjson", None, None)
        (PosixPath('cohort'), None)

        **Raises**: BadInput for files that are in a cohort's folder anyway, or that a log has in it.
        """
        if out.endswith("/") or (out not in ("-", "kafka") and Path(out).is_dir()):
            for name, file in (("--registrations", registrations), ("--labels", labels)):
                if file is not None:
                    expected = f"no {name} beside --out {out}: it is in that folder"
                    raise BadInput(where=name, expected=expected, found=str(file))
            return cls(folder=Path(out))
        if out.endswith(PARQUET):
            return cls(readings=Path(out), registrations=registrations, labels=labels)
        if registrations is not None:
            expected = "--out FILE.parquet beside it: in a log they are messages"
            raise BadInput(where="--registrations", expected=expected, found=f"--out {out}")
        return None

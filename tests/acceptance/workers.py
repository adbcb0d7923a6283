"""Workers as processes of their own, as a deployment runs them: started, killed, ended."""

import os
import signal
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent


@dataclass(slots=True)
class Workers:
    """Starts workers of both groups on one log and one database, and keeps what they say."""

    kafka: str
    postgres: str
    topic: str
    folder: Path
    running: list[subprocess.Popen[bytes]] = field(default_factory=list[subprocess.Popen[bytes]])
    said: list[Path] = field(default_factory=list[Path])

    def start(self, *command: str, **more: str) -> subprocess.Popen[bytes]:
        """A new worker, or another service; `more` are settings of its own."""
        said = self.folder / f"{command[0]}-{len(self.said)}.log"
        self.said.append(said)
        inherited = {k: v for k, v in os.environ.items() if not k.startswith("THUISWACHT_")}
        settings = {
            "THUISWACHT_KAFKA": self.kafka,
            "THUISWACHT_POSTGRES": self.postgres,
            "THUISWACHT_TOPIC": self.topic,
            "THUISWACHT_SESSION_TIMEOUT_MS": "2000",
            # Small, so that there is something to interrupt.
            "THUISWACHT_BATCH_MAX_RECORDS": "40",
        }
        with said.open("wb") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "thuiswacht", *command],
                cwd=ROOT,
                env=inherited
                | settings
                | {f"THUISWACHT_{name.upper()}": value for name, value in more.items()},
                stderr=stderr,
                stdout=stderr,
            )
        self.running.append(process)
        return process

    def kill(self, process: subprocess.Popen[bytes]) -> None:
        """As a crash would: at once, in the middle of whatever it does."""
        assert process.poll() is None, self.last_words()
        process.kill()
        process.wait()
        self.running.remove(process)

    def end(self, process: subprocess.Popen[bytes]) -> int:
        """As an orderly deployment would; gives the exit code."""
        process.send_signal(signal.SIGTERM)
        code = process.wait(30)
        self.running.remove(process)
        return code

    def must_live(self) -> None:
        """Tells at once, and with its last words, when a worker has ended by itself."""
        assert all(process.poll() is None for process in self.running), self.last_words()

    def last_words(self) -> str:
        """The end of what each worker said."""
        return "\n".join(f"{path.name}: {path.read_text()[-1500:]}" for path in self.said)

    def clean_up(self) -> None:
        """Whatever still runs after a failure."""
        for process in list(self.running):
            process.kill()
            process.wait()

"""`vermilion` as a process of its own, for the tests of the archive hook."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from archive_kit import settle

__all__ = ["TIMEOUT", "Office", "Result", "Run"]

COMMAND = "import sys; from vermilion_api.cli import main; sys.exit(main())"
TIMEOUT = 120.0  # seconds


@dataclass(frozen=True)
class Result:
    code: int
    out: str
    err: str

    @property
    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def summary(self) -> dict[str, int]:
        return {name: count for name, count in self.lines[-1].items() if name != "outcome"}


@dataclass(frozen=True)
class Run:
    process: subprocess.Popen[str]
    told: Path  # files, not pipes: nobody reads while a test waits for the server

    def finish(self) -> Result:
        """Wait for the end; whatever happened, nobody is shown a traceback."""
        try:
            code = self.process.wait(timeout=TIMEOUT)
        finally:
            self.process.kill()
            self.process.wait()
        out, err = ((self.told / name).read_text() for name in ("out", "err"))
        assert "Traceback" not in out + err
        return Result(code, out, err)


@dataclass
class Office:
    """A folder of documents, a ledger's address, and the command."""

    place: Path
    url: str
    extra: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.folder = self.place / "archive"
        self.folder.mkdir(exist_ok=True)

    def write(self, count: int) -> list[str]:
        names = [f"{number:04}.txt" for number in range(count)]
        for name in names:
            (self.folder / name).write_text(name)
            settle(self.folder / name)
        return names

    def start(self, *arguments: str | Path, **options: Any) -> Run:
        environment = {
            **{name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            "PYTHONPATH": os.pathsep.join(sys.path),
            "XDG_STATE_HOME": str(self.place / "state"),
            "LANG": "C.UTF-8",
            **self.extra,
        }
        command = [sys.executable, "-c", COMMAND, "record", "--url", self.url, *arguments]
        told = Path(tempfile.mkdtemp(dir=self.place))
        with (told / "out").open("w") as out, (told / "err").open("w") as err:
            streams = {"stdout": out, "stderr": err, **options}
            return Run(subprocess.Popen(command, text=True, env=environment, **streams), told)

    def run(self, *arguments: str | Path, **options: Any) -> Result:
        return self.start(*(arguments or (self.folder,)), **options).finish()


_OPENED = """
import os, sys
sys.addaudithook(
    lambda event, args: event in {"open", "os.scandir", "os.listdir"}
    and print(event, args[0], flush=True)
)
from vermilion_api.cli import main
sys.exit(main(sys.argv[1:]))
"""


def opened(*arguments: str | Path) -> tuple[int, list[str], str]:
    """Run the command; its exit code, every path that it opened or listed, its errors."""
    run = subprocess.run(
        [sys.executable, "-c", _OPENED, *map(str, arguments)],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    return run.returncode, run.stdout.splitlines(), run.stderr

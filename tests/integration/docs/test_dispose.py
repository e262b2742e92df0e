"""The guide to disposing of a record: its commands about backups are run as they stand."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from homes import write_home
from store_kit import stored_between
from vermilion_api.wiring import open_ledger

GUIDE = Path(__file__).resolve().parents[3] / "docs" / "how-to" / "dispose-of-a-record.md"
_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.fixture
def office(tmp_path: Path) -> Path:
    """A folder with a ledger in ``ledger``, and with the operator's command at hand."""
    for program in ("openssl", "shred"):
        if shutil.which(program) is None:
            # Outside programs that the guide calls; what the ledger itself does is tested apart.
            pytest.skip(f"{program} is not installed")
    write_home(tmp_path, size=6).rename(tmp_path / "ledger")
    command = tmp_path / "bin" / "vermilion"
    command.parent.mkdir()
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m vermilion_api "$@"\n')
    command.chmod(0o755)
    return tmp_path


def run(office: Path, script: str) -> None:
    path = f"{office / 'bin'}{os.pathsep}{os.environ['PATH']}"
    sources = os.pathsep.join(each for each in sys.path if each)
    subprocess.run(
        ["/bin/sh", "-eu", "-c", script],
        cwd=office,
        env={**os.environ, "PATH": path, "PYTHONPATH": sources},
        capture_output=True,
        check=True,
        timeout=60,
    )


def test_a_backup_is_worth_nothing_once_its_key_is_destroyed(office: Path) -> None:
    back_up, read_back, destroy = _BLOCK.findall(GUIDE.read_text(encoding="utf-8"))
    ledger = open_ledger(office / "ledger")
    salts = [each.salt for each in stored_between(ledger.database.log, 0, 6)]
    ledger.database.close()

    run(office, back_up)
    (backup,) = (office / "backups").iterdir()
    assert not list((office / "plain").iterdir())
    assert not any(salt in backup.read_bytes() for salt in salts)

    run(office, read_back)
    restored = (office / "plain" / "restored.db").read_bytes()
    assert all(salt in restored for salt in salts)

    run(office, destroy)
    assert not list((office / "backup-keys").iterdir())
    with pytest.raises(subprocess.CalledProcessError):
        run(office, read_back)

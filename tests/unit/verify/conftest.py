"""A desk with a document, its bundle, a policy and block hashes."""

from __future__ import annotations

from pathlib import Path

import pytest

from desk import Desk


@pytest.fixture
def desk(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Desk:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG", "NO_COLOR", "VERMILION_DEBUG"):
        monkeypatch.delenv(name, raising=False)
    return Desk(tmp_path, capsys)

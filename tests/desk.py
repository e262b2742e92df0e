"""A folder with everything that `vermilion-verify` needs, and the command run on it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest

from evidence import DOCUMENT_BYTES, Scene, plain
from trusted import trust_toml
from vermilion_ledger.encoding import encode_json
from vermilion_verify.cli import main


class Desk:
    """A folder with everything the command needs."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.capsys = capsys
        self.lay(plain())

    def lay(self, scene: Scene, *, content: bytes = DOCUMENT_BYTES, **policy: Any) -> Desk:
        self.scene = scene
        (self.folder / "paper.pdf").write_bytes(content)
        (self.folder / "bundle").write_bytes(encode_json(scene.bundle().to_json()))
        (self.folder / "trust.toml").write_text(trust_toml([scene.chain], **policy))
        (self.folder / "hashes").write_text(scene.hash_list())
        (self.folder / "entries").write_bytes(b"".join(scene.log.entries))
        (self.folder / "registry").write_bytes(scene.registry_file())
        return self

    def arguments(self, *more: str, hashes: bool = True) -> list[str]:
        place = [str(self.folder / name) for name in ("paper.pdf", "bundle", "trust.toml")]
        arguments = [place[0], "--bundle", place[1], "--trust", place[2]]
        if hashes:
            arguments += ["--header-hashes", str(self.folder / "hashes")]
        return arguments + [each.replace("@", f"{self.folder}/") for each in more]

    def run(self, *more: str, hashes: bool = True) -> tuple[int, str, str]:
        return self.raw(*self.arguments(*more, hashes=hashes))

    def raw(self, *arguments: str) -> tuple[int, str, str]:
        code = main(arguments)
        captured = self.capsys.readouterr()
        return code, captured.out, captured.err


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True

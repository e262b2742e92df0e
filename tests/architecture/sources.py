"""What the architecture tests look at: the tracked files, and their Python parsed."""

from __future__ import annotations

import ast
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path

__all__ = ["COMPONENTS", "REPOSITORY", "Module", "modules", "tracked_files"]

REPOSITORY = Path(__file__).resolve().parents[2]
COMPONENTS = {
    "ledger": "vermilion_ledger",
    "anchor": "vermilion_anchor",
    "api": "vermilion_api",
    "verifier": "vermilion_verify",
    "hooks": "vermilion_hooks",
}
_NOT_OURS = {".git", ".venv", "node_modules", "build", "dist", "out", "cache", "__pycache__"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Module:
    """One Python file, read once."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(REPOSITORY).as_posix()

    @property
    def is_product(self) -> bool:
        """Whether it is part of an installed package."""
        return self.name.partition("/")[0] in COMPONENTS


@cache
def tracked_files() -> tuple[Path, ...]:
    """Every file under version control; of an unpacked archive, every file that is ours."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, check=False
    )
    if listed.returncode == 0:
        names = listed.stdout.decode().rstrip("\0").split("\0")
        return tuple(path for name in names if (path := REPOSITORY / name).is_file())
    return tuple(
        path
        for path in sorted(REPOSITORY.rglob("*"))
        if path.is_file() and not _NOT_OURS & set(path.relative_to(REPOSITORY).parts)
    )


@cache
def modules() -> tuple[Module, ...]:
    """Every Python file of the repository."""
    found = []
    for path in tracked_files():
        if path.suffix == ".py":
            text = path.read_text(encoding="utf-8")
            found.append(Module(path=path, text=text, tree=ast.parse(text)))
    return tuple(found)

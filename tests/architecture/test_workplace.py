"""Nothing in the repository names the machine or the mirrors it was written on."""

from __future__ import annotations

import re
from pathlib import Path

from architecture.sources import tracked_files

# Built from parts, so that this file does not have what it looks for.
SECRETIVE = (
    "/" + "work/",
    "/" + "root/",
    "/" + "home/" + "[a-z]",
    "/" + "Users/",
    "/" + "tmp/" + "bash",
    "pypi" + r"\.org",
    "pythonhosted" + r"\.org",
    "registry" + r"\.npmjs",
    "registry" + r"\.yarnpkg",
    "artif" + "actory",
    "verd" + "accio",
    "index-" + "url =",
    "extra-index-" + "url ",
    "(?<!emit-)find-" + "links ",
)
LOCKS = ("package-lock.json", "requirements.lock", "requirements-node.lock", "requirements-uv.lock")


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return ""


def test_no_tracked_file_names_a_folder_of_this_machine_or_a_registry() -> None:
    pattern = re.compile("|".join(SECRETIVE))
    found = [
        f"{path.name}: {match[0]}"
        for path in tracked_files()
        for match in [pattern.search(_text(path))]
        if match is not None
    ]

    assert found == []


def test_lock_files_have_hashes_and_no_address() -> None:
    locks = [path for path in tracked_files() if path.name in LOCKS]

    assert {path.name for path in locks} == set(LOCKS)
    for path in locks:
        text = _text(path)
        assert "://" not in re.sub(r'"(?:url|funding)": "[^"]*"', "", text), path.name
        assert "resolved" not in text, path.name
        assert text.count("sha256:") + text.count("sha512-") > 1, path.name

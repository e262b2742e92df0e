"""The reference pages are what the program says today."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path

import pytest

from vermilion_api.app import create_app
from vermilion_api.classes import ClassSettings
from vermilion_api.reference import main, render_pages
from vermilion_api.settings import ChainSettings, Settings
from vermilion_api.signer_settings import SignerSettings

PAGES = ("openapi.json", "api.md", "errors.md", "settings.md", "cli.md")
ROUTES = {
    ("post", "/v1/records"),
    ("get", "/v1/records"),
    ("post", "/v1/records/bulk"),
    ("post", "/v1/records/{record}/statements"),
    ("post", "/v1/records/{record}/events"),
    ("get", "/v1/records/{record}"),
    ("get", "/v1/records/{record}/bundle"),
    ("post", "/v1/verify"),
    ("get", "/v1/registry"),
    ("get", "/v1/log"),
    ("get", "/v1/anchors"),
    ("get", "/log/checkpoint"),
    ("get", "/log/tile/{level}/{place}"),
    ("get", "/log/tile/entries/{place}"),
    ("get", "/livez"),
    ("get", "/readyz"),
    ("get", "/metrics"),
}
COMMANDS = (
    "up", "record", "approve", "event", "bundle", "status", "anchor balance", "anchor now",
    "anchor status", "keys new", "keys register", "keys revoke", "keys list", "trust export",
    "serve", "sequencer", "anchorer", "migrate",
)  # fmt: skip


@pytest.mark.parametrize("page", PAGES)
def test_a_page_differs_from_the_program(repository: Path, page: str) -> None:
    written = (repository / "docs/reference" / page).read_text("utf-8")

    assert written == render_pages()[page], "run `python -m vermilion_api.reference docs/reference`"


def test_the_pages_are_written_into_a_folder(tmp_path: Path) -> None:
    main(tmp_path)

    assert {path.name for path in tmp_path.iterdir()} == set(PAGES)


def test_every_endpoint_of_the_formats_is_there() -> None:
    paths = create_app(None).openapi()["paths"]

    found = {(method, path) for path, methods in paths.items() for method in methods}

    assert found >= ROUTES


def test_every_command_of_the_formats_is_there() -> None:
    page = render_pages()["cli.md"]

    assert [name for name in COMMANDS if f"## `vermilion {name}`" not in page] == []


@pytest.mark.parametrize("kind", [Settings, ChainSettings, ClassSettings, SignerSettings])
def test_every_setting_has_a_unit_and_a_line(kind: type) -> None:
    page = render_pages()["settings.md"]

    for each in fields(kind):
        assert each.metadata["unit"]
        assert f"| `{each.name}` | {each.metadata['unit']} |" in page

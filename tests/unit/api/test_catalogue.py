"""The catalogue of codes: every code raised anywhere is in it, documented and mapped."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from vermilion_api.problems import _EXITS, _STATUSES, refusal_status
from vermilion_ledger.codes import all_codes

PACKAGES = ("ledger", "anchor", "verifier", "hooks", "api")
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*(\.[a-z0-9]+(-[a-z0-9]+)*)+\Z")


def _texts(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.IfExp):
        yield from _texts(node.body)
        yield from _texts(node.orelse)


def _codes(source: str) -> Iterator[str]:
    """First arguments of errors being made, also where a name stands for them."""
    tree = ast.parse(source)
    named: dict[str, list[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    named.setdefault(target.id, []).extend(_texts(node.value))
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call) or not node.args:
            continue
        name = getattr(node.func, "id", getattr(node.func, "attr", ""))
        if name.endswith("Error") or name == "__init__":
            first = node.args[0]
            found = list(_texts(first)) or named.get(getattr(first, "id", ""), [])
            yield from (text for text in found if CODE.match(text))


def raised_codes(repository: Path) -> dict[str, str]:
    return {
        code: path.relative_to(repository).as_posix()
        for package in PACKAGES
        for path in sorted((repository / package).rglob("*.py"))
        for code in _codes(path.read_text("utf-8"))
    }


def test_the_search_finds_codes_in_every_form() -> None:
    source = """
raise InputError("a.plain", "x")
code = "a.left" if x else "a.right"
raise NotFoundError(code, "x")
raise LimitError("a.one" if x else "a.two", "x", found=1, limit=0)
super().__init__("a.super", "x")
"""
    assert set(_codes(source)) == {"a.plain", "a.left", "a.right", "a.one", "a.two", "a.super"}


def test_every_code_that_is_raised_is_in_the_catalogue(repository: Path) -> None:
    known = all_codes()  # raises where two areas claim one code

    missing = {code: where for code, where in raised_codes(repository).items() if code not in known}

    assert missing == {}


def test_every_code_is_documented(repository: Path) -> None:
    page = (repository / "docs/reference/errors.md").read_text("utf-8")

    missing = [code for code in all_codes() if f"| `{code}` |" not in page]

    assert missing == []


def test_every_code_has_advice_in_both_languages() -> None:
    for code, advice in all_codes().items():
        assert CODE.match(code) or code == "internal", code
        assert advice.en.endswith("."), code
        assert re.search("[\u4e00-\u9fff]", advice.zh), code


@pytest.mark.parametrize("table", [_STATUSES, _EXITS])
def test_the_tables_name_codes_that_exist(table: dict[str, int]) -> None:
    assert table.keys() - all_codes().keys() == set()


def test_every_code_has_a_status_as_a_refusal() -> None:
    assert {refusal_status(code) for code in all_codes()} <= {403, 404, 405, 409, 415, 422, 507}

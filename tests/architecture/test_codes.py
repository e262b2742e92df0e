"""Every error code that is raised is documented, and none is documented that is not raised."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from architecture.sources import modules
from vermilion_ledger.codes import advice_for, all_codes

CODE = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\.[a-z0-9]+(?:-[a-z0-9]+)*")
CHINESE = re.compile("[\u4e00-\u9fff]")


def _words(module_tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(module_tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield node.value


def _raised(module_tree: ast.Module) -> Iterator[str]:
    """Codes that stand in the first argument of an error."""
    for node in ast.walk(module_tree):
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Name)
            and node.func.id.endswith("Error")
            and node.args
        ):
            for part in ast.walk(node.args[0]):
                if isinstance(part, ast.Constant) and isinstance(part.value, str):
                    yield part.value


def test_every_code_that_is_raised_is_documented() -> None:
    known = all_codes().keys()
    unknown = {
        code: module.name
        for module in modules()
        if module.is_product
        for code in _raised(module.tree)
        if CODE.fullmatch(code) and code not in known
    }

    assert unknown == {}


def test_every_documented_code_is_used_somewhere() -> None:
    used = {
        word
        for module in modules()
        if module.is_product and "/codes/" not in module.name
        for word in _words(module.tree)
    }

    assert sorted(all_codes().keys() - used) == []


def test_every_code_has_one_form_and_advice_in_both_languages() -> None:
    for code, advice in all_codes().items():
        assert code == "internal" or CODE.fullmatch(code), code  # what nobody foresaw
        assert advice_for(code) == advice
        assert advice.en[0].isupper(), code
        assert advice.en.endswith("."), code
        assert CHINESE.search(advice.zh), code
        assert advice.zh.endswith("。"), code

"""The house rules that a formatter cannot know (STYLE A3, A4, A7)."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from architecture.sources import Module, modules, tracked_files

MODULE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60
FILE_SIZE_MAX = 200_000  # bytes
VAGUE_MODULES = {"utils", "util", "helpers", "helper", "misc"}
# The field's term stands right: one word each, no synonyms, in identifiers.
SYNONYMS = {
    "audit_path": "inclusion proof",
    "merkle_path": "inclusion proof",
    "membership_proof": "inclusion proof",
    "merkle_root": "root",
    "tree_head": "checkpoint",
    "sth": "checkpoint",
    "leaf_number": "leaf index",
    "leaf_idx": "leaf index",
    "tree_length": "tree size",
    "leaf_count": "tree size",
    "doc_hash": "digest",
    "document_hash": "digest",
    "file_hash": "digest",
    "fingerprint": "digest",
    "countersigner": "witness",
    "notary": "witness",
    "cosig": "cosignature",
    "blockchain": "chain",
    "proof_bundle": "evidence bundle",
    "evidence_package": "evidence bundle",
    "trust_config": "trust policy",
    "trust_store": "trust policy",
    "chain_receipt": "anchor receipt",
    "sequence_number": "sequence",
    "seqno": "sequence",
}
MUTATORS = {
    *("append", "add", "update", "pop", "popitem", "clear", "setdefault", "extend", "insert"),
    *("remove", "discard", "sort", "reverse", "appendleft"),
}
MUTABLE_CALLS = {"dict", "list", "set", "defaultdict", "deque", "Counter", "OrderedDict"}
UNDONE = re.compile(r"\b(?:TO" + r"DO|FIX" + r"ME)\b(?!\(#\d+\))")


def product() -> Iterator[Module]:
    return (module for module in modules() if module.is_product)


def test_no_module_is_longer_than_400_lines() -> None:
    long = {m.name: n for m in modules() if (n := m.text.count("\n")) > MODULE_LINES_MAX}

    assert long == {}


def test_no_function_is_longer_than_60_lines() -> None:
    long = {}
    for module in modules():
        for node in ast.walk(module.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                lines = (node.end_lineno or node.lineno) - node.lineno + 1
                if lines > FUNCTION_LINES_MAX:
                    long[f"{module.name}:{node.name}"] = lines

    assert long == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [m.name for m in modules() if m.path.stem in VAGUE_MODULES] == []


def test_each_module_says_what_it_owns() -> None:
    silent = [m.name for m in product() if m.text.strip() and not ast.get_docstring(m.tree)]

    assert silent == []


def test_no_large_file_is_tracked() -> None:
    """Lock files are written by programs and carry a hash per platform."""
    large = {
        path.name: size
        for path in tracked_files()
        if (size := path.stat().st_size) > FILE_SIZE_MAX
        and path.suffix != ".lock"
        and path.name != "package-lock.json"
    }

    assert large == {}


def test_nothing_is_left_undone_without_an_issue_number() -> None:
    undone = []
    for path in tracked_files():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a document or a picture
        undone += [f"{path.name}: {match[0]}" for match in UNDONE.finditer(text)]

    assert undone == []


def _identifiers(module: Module) -> Iterator[str]:
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            yield node.name
        elif isinstance(node, ast.Name):
            yield node.id
        elif isinstance(node, ast.arg | ast.keyword) and node.arg:
            yield node.arg
        elif isinstance(node, ast.Attribute):
            yield node.attr


def test_identifiers_use_the_fields_terms_and_no_synonyms() -> None:
    found = set()
    for module in product():
        for name in _identifiers(module):
            snake = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
            for synonym, term in SYNONYMS.items():
                if re.search(rf"(?:^|_){synonym}s?(?:_|$)", snake):
                    found.add(f"{module.name}: {name} (say {term})")

    assert sorted(found) == []


# --- what a module exposes


def _top_level(module: Module) -> Iterator[tuple[str, ast.expr | None]]:
    """Names bound at the top of a module, with their value where it is an expression."""
    for node in module.tree.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            # Whoever decorates a function hands it on: routes and commands need no export.
            if isinstance(node, ast.ClassDef) or not node.decorator_list:
                yield node.name, None
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    yield target.id, node.value
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            yield node.target.id, node.value


def _exports(module: Module) -> list[str] | None:
    for name, value in _top_level(module):
        if name == "__all__" and value is not None:
            return [str(item) for item in ast.literal_eval(value)]
    return None


def _export_order(name: str) -> tuple[int, str]:
    """Constants, classes, then the rest, as ruff sorts them."""
    return (0 if name.isupper() else 1 if name[0].isupper() else 2), name


def _is_exempt(module: Module) -> bool:
    """Entry points and migrations are run by a program, not imported by name."""
    return module.path.name == "__main__.py" or "/migrations/" in module.name


def test_each_module_lists_what_it_exposes_sorted() -> None:
    for module in product():
        exports = _exports(module)
        if not _is_exempt(module) and module.text.strip():
            assert exports is not None, module.name
        assert exports is None or exports == sorted(exports, key=_export_order), module.name


def test_what_is_listed_is_all_that_is_public() -> None:
    hidden = {}
    for module in product():
        exports = _exports(module)
        public = {name for name, _ in _top_level(module) if not name.startswith("_")}
        if exports is not None and not _is_exempt(module) and (left := public - set(exports)):
            hidden[module.name] = sorted(left)

    assert hidden == {}


def test_what_is_listed_exists() -> None:
    for module in product():
        bound = {name for name, _ in _top_level(module)}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Import | ast.ImportFrom):
                bound |= {alias.asname or alias.name for alias in node.names}
            elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                bound.add(node.name)
        # A package may list its modules.
        bound |= {path.stem for path in module.path.parent.iterdir()}
        assert set(_exports(module) or ()) <= bound, module.name


# --- no module state


def _is_mutable(value: ast.expr | None) -> bool:
    if isinstance(value, ast.Call):
        return isinstance(value.func, ast.Name) and value.func.id in MUTABLE_CALLS
    return isinstance(
        value, ast.List | ast.Dict | ast.Set | ast.ListComp | ast.DictComp | ast.SetComp
    )


def test_mutable_values_at_module_level_are_constants() -> None:
    named = [
        f"{module.name}: {name}"
        for module in product()
        for name, value in _top_level(module)
        if _is_mutable(value) and not name.isupper() and name != "__all__"
    ]

    assert named == []


def _changes(node: ast.AST, names: set[str]) -> str | None:
    """Return the constant that a piece of code changes, if it does."""
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        owner = node.func.value
        if node.func.attr in MUTATORS and isinstance(owner, ast.Name) and owner.id in names:
            return owner.id
    if (
        isinstance(node, ast.Subscript)
        and isinstance(node.ctx, ast.Store | ast.Del)
        and isinstance(node.value, ast.Name)
        and node.value.id in names
    ):
        return node.value.id
    if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
        return node.target.id if node.target.id in names else None
    return None


def test_nothing_changes_a_constant_or_a_global() -> None:
    changed = []
    for module in product():
        constants = {name for name, value in _top_level(module) if _is_mutable(value)}
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Global):
                changed.append(f"{module.name}: global {', '.join(node.names)}")
            elif name := _changes(node, constants):
                changed.append(f"{module.name}: {name}")

    assert changed == []


def test_no_function_keeps_results_behind_the_callers_back() -> None:
    """A cache at module level is state; `cached_property` belongs to its object."""
    caching = [
        f"{module.name}: {node.name}"
        for module in product()
        for node in module.tree.body
        if isinstance(node, ast.FunctionDef)
        for decorator in node.decorator_list
        if re.search(r"\b(?:lru_)?cache\b", ast.unparse(decorator))
    ]

    assert caching == []

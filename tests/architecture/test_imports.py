"""Imports point downwards, and the verifier needs the base install only (DESIGN section 2)."""

from __future__ import annotations

import json
import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions, requires
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from architecture.sources import COMPONENTS, REPOSITORY, modules

# What verifying must not load: servers, databases, chain libraries, network clients.
FORBIDDEN = {
    *("aiohttp", "alembic", "anyio", "boto3", "dask", "eth_account", "fastapi", "httpx", "orjson"),
    *("psycopg", "pydantic", "requests", "rfc3161_client", "rich", "sqlalchemy", "starlette"),
    *("typer", "urllib3"),
    *("uvicorn", "uvloop", "web3", "vermilion_anchor", "vermilion_api", "vermilion_hooks"),
    *("vermilion_ledger.store", "vermilion_ledger.sequencer", "vermilion_ledger.log"),
}
WRITERS = (
    "vermilion_ledger.archive",
    "vermilion_ledger.fsck",
    "vermilion_ledger.log",
    "vermilion_ledger.running",
    "vermilion_ledger.sequencer",
    "vermilion_ledger.store",
    "vermilion_ledger.tilestore.s3",
)
# Imported only where arkworks, which a base install has, is missing.
FALLBACK = "vermilion_ledger.schemes.pairing_py_ecc"
ROOTS = [str(REPOSITORY / folder) for folder in COMPONENTS]


def pure_modules() -> list[str]:
    """Every module of the ledger but its writers and a fallback, and all of the verifier."""
    names = []
    for module in modules():
        folder, _, rest = module.name.partition("/")
        name = rest.removesuffix(".py").replace("/", ".").removesuffix(".__init__")
        is_other = name.startswith((*WRITERS, FALLBACK)) or name.endswith("__main__")
        if folder in {"ledger", "verifier"} and not is_other:
            names.append(name)
    return sorted(names)


def run_isolated(program: str, *arguments: object) -> str:
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", "-c", program, json.dumps(arguments)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_imports_point_downwards() -> None:
    """Runs import-linter with the contracts of pyproject.toml."""
    done = subprocess.run(
        [Path(sys.executable).with_name("lint-imports"), "--no-cache"],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


LOADED = """
import importlib, json, sys
roots, names = json.loads(sys.argv[1])
sys.path[:0] = roots
for name in names:
    importlib.import_module(name)
print(json.dumps(sorted(sys.modules)))
"""


@pytest.mark.parametrize("names", [["vermilion_verify.verify"], pure_modules()], ids=["v", "all"])
def test_nothing_forbidden_is_loaded_by_the_verifier(names: list[str]) -> None:
    loaded = set(json.loads(run_isolated(LOADED, ROOTS, names)))

    assert set(names) <= loaded
    assert FORBIDDEN & loaded == set()


def base_distributions() -> set[str]:
    """The names of what a base install brings, dependencies of dependencies included."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    found: set[str] = set()
    waiting = list(project["dependencies"])
    while waiting:
        requirement = Requirement(waiting.pop())
        name = canonicalize_name(requirement.name)
        if name in found or not (requirement.marker is None or requirement.marker.evaluate()):
            continue
        found.add(name)
        waiting += requires(name) or []
    return found


RESTRICTED = """
import importlib, importlib.abc, json, sys
roots, names, allowed = json.loads(sys.argv[1])
allowed = set(allowed) | set(sys.stdlib_module_names) | {"vermilion_ledger", "vermilion_verify"}

class Gate(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] not in allowed:
            raise ModuleNotFoundError(name + " is not in the base install", name=name)

sys.meta_path.insert(0, Gate())
sys.path[:0] = roots
for name in names:
    importlib.import_module(name)
"""


def test_the_base_dependencies_suffice_for_every_pure_module() -> None:
    base = base_distributions()
    allowed = [
        module
        for module, owners in packages_distributions().items()
        if base & {canonicalize_name(owner) for owner in owners}
    ]

    assert "sqlalchemy" not in allowed
    run_isolated(RESTRICTED, ROOTS, pure_modules(), allowed)


def test_each_base_dependency_is_typed_and_has_a_licence_we_may_ship() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    for line in project["dependencies"]:
        found = distribution(Requirement(line).name)
        metadata = found.metadata
        licence = " ".join(
            [
                *(metadata.get_all("License-Expression") or ()),
                *(metadata.get_all("License") or ()),
                *(metadata.get_all("Classifier") or ()),
            ]
        )
        assert any(word in licence for word in ("Apache", "BSD", "MIT", "Public Domain")), line
        assert "GPL" not in licence, line


def test_each_component_is_one_package_with_types() -> None:
    for folder, package in COMPONENTS.items():
        packages = [path.name for path in (REPOSITORY / folder).iterdir() if path.is_dir()]
        assert [name for name in packages if name.startswith("vermilion")] == [package]
        assert (REPOSITORY / folder / package / "py.typed").is_file()

"""Rebuilding a ledger from an export: built aside, checked whole, then put in its place.

The export is loaded into a fresh SQLite database and a fresh folder of tiles,
and `vermilion_ledger.fsck` runs over both with the keys of the trust policy.
Only what it finds sound is moved into the home folder, or loaded once more
into the databases and the tile store that the settings there name.
"""

from __future__ import annotations

import os
import secrets
import shutil
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path

from vermilion_api.home import Home, load_secrets
from vermilion_api.settings import SETTINGS_FILE, Settings, load_settings
from vermilion_api.trust import render_trust_policy
from vermilion_api.wiring import now
from vermilion_ledger.admission import LedgerIdentity
from vermilion_ledger.archive.layout import TRUST, Header
from vermilion_ledger.archive.reading import check_export, load_export
from vermilion_ledger.errors import ConflictError, InputError, IntegrityError, UnavailableError
from vermilion_ledger.fsck.run import Fsck, Subject
from vermilion_ledger.fsck.signed import LogKey
from vermilion_ledger.ports import TileStore
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_ledger.store import Database, open_database
from vermilion_ledger.store.auditing import SqlAudit
from vermilion_ledger.store.restoring import SqlRestorer
from vermilion_ledger.tilestore import open_tile_store
from vermilion_ledger.tilestore.paths import CHECKPOINT
from vermilion_verify.policy import TrustPolicy, load_trust_policy

__all__ = ["Imported", "import_ledger"]

_Progress = Callable[[int, int], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Imported:
    """What was rebuilt.

    Attributes:
        header: Of the export.
        is_complete: Whether settings and keys are in the home folder, so that
            the ledger can be started.
    """

    header: Header
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class _Stores:
    database: Database
    tiles: TileStore


def import_ledger(
    folder: Path, path: Path, *, on_progress: _Progress = lambda _done, _count: None
) -> Imported:
    """Rebuild the ledger of an export in a home folder.

    Args:
        folder: The export.
        path: The home folder. Settings and keys that are in it must be those
            of this ledger; without any, the data alone is rebuilt.
        on_progress: Called with the entries read and how many there are.

    Raises:
        InputError: ``export.without-salts``, ``export.malformed``.
        ConflictError: ``export.not-empty``: there is a log in the place already;
            ``export.other-ledger``: settings and keys are those of another one.
        IntegrityError: ``export.differs``, ``export.unsound``: it is not what
            was signed. Nothing was put in place.
    """
    header, sums = check_export(folder)
    if not header.with_salts:
        raise InputError("export.without-salts", "an export without salts holds no envelopes")
    policy = load_trust_policy(folder / TRUST)
    home = Home(path=path)
    settings = load_settings(path) if (path / SETTINGS_FILE).exists() else None
    if settings is not None:
        _check_same_ledger(home, settings, folder)
    aside = path / f".import-{secrets.token_hex(4)}"
    try:
        aside.mkdir(mode=0o700, parents=True)
    except OSError as exc:
        raise UnavailableError("home.unusable", f"{path}: {exc.strerror}") from exc
    try:
        target = _open_target(home, settings)
        try:
            built = _build(folder, header, sums.keys(), policy, aside, on_progress=on_progress)
            built.database.close()
            if target is not None:
                _fill(folder, header, sums.keys(), policy, target, on_progress=on_progress)
            else:
                _put_in_place(aside, path)
        finally:
            if target is not None:
                target.database.close()
    finally:
        shutil.rmtree(aside, ignore_errors=True)
    return Imported(header=header, is_complete=settings is not None)


def _check_same_ledger(home: Home, settings: Settings, folder: Path) -> None:
    """Compare what the keys in the home folder make of a trust policy with that of the export."""
    own = render_trust_policy(settings, load_secrets(home, settings))
    if own.encode() != (folder / TRUST).read_bytes():
        raise ConflictError(
            "export.other-ledger", "settings and keys in the home folder make another trust policy"
        )


def _open_target(home: Home, settings: Settings | None) -> _Stores | None:
    """Open the stores that settings name elsewhere, which must be empty; None: all stay at home.

    Raises:
        ConflictError: ``export.not-empty``.
    """
    if settings is None or not (settings.database_url or settings.head_url or settings.tiles_url):
        taken = [name for name in ("ledger.db", "log") if (home.path / name).exists()]
        if taken:
            raise ConflictError("export.not-empty", f"{home.path / taken[0]} exists already")
        return None
    database = open_database(home.database_url(settings), head_url=settings.head_url)
    tiles = open_tile_store(settings.tiles_url, home.path)
    database.migrate()
    SqlRestorer(database.engine, database.head_engine).check_empty()
    if tiles.list_paths("tile/") or tiles.load([CHECKPOINT]):
        raise ConflictError("export.not-empty", "there are files of a log already")
    return _Stores(database=database, tiles=tiles)


def _build(
    folder: Path,
    header: Header,
    paths: Collection[str],
    policy: TrustPolicy,
    aside: Path,
    *,
    on_progress: _Progress,
) -> _Stores:
    """Load an export into fresh stores and check the result."""
    stores = _Stores(
        database=open_database(f"sqlite:///{aside.resolve() / 'ledger.db'}"),
        tiles=open_tile_store("", aside),
    )
    stores.database.migrate()
    _fill(folder, header, paths, policy, stores, on_progress=on_progress)
    found = Fsck(_subject(policy, stores), clock=now).run()
    problems = [each for each in found.findings.kept if each.is_damage]
    if problems or (found.size, found.root) != (header.size, header.root):
        first = f"{problems[0].place}: {problems[0].message}" if problems else "another root"
        raise IntegrityError(
            "export.unsound", f"{found.findings.damage_count} differences, the first: {first}"
        )
    return stores


def _fill(
    folder: Path,
    header: Header,
    paths: Collection[str],
    policy: TrustPolicy,
    stores: _Stores,
    *,
    on_progress: _Progress,
) -> None:
    load_export(
        folder,
        header,
        paths,
        intake_keyids=_identity(policy).intake_keyids,
        restorer=SqlRestorer(stores.database.engine, stores.database.head_engine),
        tiles=stores.tiles,
        on_progress=on_progress,
    )


def _put_in_place(aside: Path, path: Path) -> None:
    """Move the database last: a home folder without one has no ledger yet."""
    try:
        if (aside / "log").exists():
            (aside / "log").rename(path / "log")
        (aside / "ledger.db").rename(path / "ledger.db")
        descriptor = os.open(path, os.O_RDONLY)
        os.fsync(descriptor)  # the new names must survive a crash
        os.close(descriptor)
    except OSError as exc:
        raise UnavailableError("home.unusable", f"{path}: {exc.strerror}") from exc


def _subject(policy: TrustPolicy, stores: _Stores) -> Subject:
    return Subject(
        store=SqlAudit(stores.database.engine, stores.database.head_engine),
        tiles=stores.tiles,
        identity=_identity(policy),
        intake_keys={
            make_keyid(ed25519.NAME, each.public): each.public for each in policy.intake_keys
        },
        log_keys=tuple(
            LogKey(key=each.key, start=each.start, end=each.end) for each in policy.log_keys
        ),
    )


def _identity(policy: TrustPolicy) -> LedgerIdentity:
    return LedgerIdentity(
        origin=policy.origin,
        roots=policy.roots,
        intake_keyids=frozenset(
            make_keyid(ed25519.NAME, each.public) for each in policy.intake_keys
        ),
        keys_record=policy.registry.record,
        policies_record=policy.policies.record,
    )

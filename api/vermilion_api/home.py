"""The home folder of a ledger: settings, private keys, database.

Made once. A key that is missing later is not replaced by a fresh one: a log
that suddenly signs with another key would be another log.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vermilion_api.keyfiles import load_seed, write_seed
from vermilion_api.settings import (
    SETTINGS_FILE,
    RetiredIntakeSettings,
    RetiredLogSettings,
    Settings,
    load_settings,
    save_settings,
)
from vermilion_ledger.admission import LedgerIdentity, RetiredIntake
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import ConflictError, InputError, UnavailableError
from vermilion_ledger.fsck.signed import LogKey
from vermilion_ledger.keys import Roots
from vermilion_ledger.note import ED25519, ML_DSA_44, VerifierKey
from vermilion_ledger.schemes import ed25519, make_keyid, ml_dsa_44

__all__ = [
    "Home",
    "Secrets",
    "add_ml_dsa",
    "create_home",
    "load_secrets",
    "rotate_intake",
    "rotate_log",
]

_SEEDS = ("registry", "policies")  # and those of log and intake, which the settings name
_ML_DSA = "log-ml-dsa"


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """Where things lie in a home folder."""

    path: Path

    @property
    def keys(self) -> Path:
        """Folder of the ledger's own keys, mode 0700."""
        return self.path / "keys"

    @property
    def people(self) -> Path:
        """Folder where `keys new` puts key files unless told otherwise, mode 0700."""
        return self.path / "people"

    @property
    def node_state(self) -> Path:
        """The local node's chain."""
        return self.path / "anvil-state.json"

    @property
    def keystore(self) -> Path:
        """The anchoring key, encrypted."""
        return self.keys / "anchor.json"

    @property
    def password(self) -> Path:
        """What decrypts the anchoring key."""
        return self.keys / "anchor.password"

    @property
    def trust(self) -> Path:
        """The trust policy that this ledger's own verify route uses."""
        return self.path / "trust.toml"

    def seed(self, name: str) -> Path:
        """One of the ledger's own keys."""
        return self.keys / f"{name}.key"

    def database_url(self, settings: Settings) -> str:
        """The database that the settings name, or the one in this folder."""
        return settings.database_url or f"sqlite:///{self.path.resolve() / 'ledger.db'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Secrets:
    """The ledger's own keys, in memory.

    Attributes:
        log: Ed25519 seed that signs checkpoints; those of retired log keys are
            needed no more.
        log_ml_dsa: ML-DSA-44 seed that signs them as well; None without one.
        intake: Ed25519 seed that signs envelopes at intake, and closings; those
            of retired intake keys are needed no more.
        registry: Record key of the public key record.
        policies: Record key of the public policy record.
    """

    log: bytes
    intake: bytes
    registry: bytes
    policies: bytes
    log_ml_dsa: bytes | None = None

    @property
    def intake_public(self) -> bytes:
        """Public part of the intake key."""
        return ed25519.public_key_of(self.intake)

    def log_keys(self, origin: str) -> tuple[VerifierKey, ...]:
        """Return the log's verifier keys that sign now, the Ed25519 key first."""
        public = ed25519.public_key_of(self.log)
        keys = [VerifierKey(name=origin, kind=ED25519, public=public)]
        if self.log_ml_dsa is not None:
            public = ml_dsa_44.public_key_of(self.log_ml_dsa)
            keys.append(VerifierKey(name=origin, kind=ML_DSA_44, public=public))
        return tuple(keys)

    def log_terms(self, settings: Settings) -> tuple[LogKey, ...]:
        """Return every key that the log ever signed with, and for which leaves."""
        terms: list[LogKey] = []
        start = 0
        for each in settings.retired_logs:
            terms.append(LogKey(key=each.key, start=start, end=each.until))
            start = each.until
        starts = {ED25519: start, ML_DSA_44: settings.log_ml_dsa_from}
        present = self.log_keys(settings.origin)
        return (*terms, *(LogKey(key=key, start=starts[key.kind]) for key in present))

    def identity(self, settings: Settings) -> LedgerIdentity:
        """Return what makes this ledger this ledger."""
        retired = tuple(
            RetiredIntake(keyid=make_keyid(ed25519.NAME, bytes.fromhex(each.key)), until=each.until)
            for each in settings.retired_intakes
        )
        current = make_keyid(ed25519.NAME, self.intake_public)
        return LedgerIdentity(
            origin=settings.origin,
            roots=Roots(keyids=frozenset(settings.roots), quorum=settings.quorum),
            intake_keyids=frozenset({current, *(each.keyid for each in retired)}),
            keys_record=make_record_id(self.registry),
            policies_record=make_record_id(self.policies),
            retired_intakes=retired,
        )


def create_home(path: Path, settings: Settings) -> tuple[Home, Settings]:
    """Make a home folder with fresh keys, or open the one that is there.

    Raises:
        UnavailableError: ``home.unusable``: the folder cannot be written.
        InputError: The settings are malformed.
    """
    home = Home(path=path)
    if (path / SETTINGS_FILE).exists():
        return home, load_settings(path)
    try:
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        for folder in (home.keys, home.people):
            folder.mkdir(mode=0o700, exist_ok=True)
            folder.chmod(0o700)
    except OSError as exc:
        raise UnavailableError("home.unusable", f"{path}: {exc.strerror}") from exc
    for name in _seed_names(settings):
        # Left by a first start that was interrupted before the settings were written.
        if not home.seed(name).exists():
            write_seed(home.seed(name))
    save_settings(path, settings)
    return home, settings


def add_ml_dsa(home: Home, settings: Settings, *, size: int) -> Settings:
    """Give the log an ML-DSA-44 key beside its Ed25519 key; return the new settings.

    Key and settings are durable on return. To be called while nobody signs: a
    checkpoint above ``size`` without the new signature would not be believed.

    Args:
        home: Where the key is written.
        settings: Those of the home folder.
        size: Size of the last checkpoint, from which on the key is in force;
            0 if there is none.

    Raises:
        ConflictError: ``key.in-use``: the log signs with such a key already.
        UnavailableError: ``home.unusable``: the settings cannot be written.
    """
    if settings.log_ml_dsa:
        raise ConflictError(
            "key.in-use", f"checkpoints are signed from leaf {settings.log_ml_dsa_from} on already"
        )
    _ensure_seed(home, _ML_DSA)
    settings = replace(settings, log_ml_dsa=True, log_ml_dsa_from=size)
    save_settings(home.path, settings)
    return settings


def rotate_intake(home: Home, settings: Settings, *, until: int) -> Settings:
    """Let a fresh key sign at intake from now on; return the new settings.

    Key and settings are durable on return. The file of the old key stays where
    it is; nothing reads it any more.

    Args:
        home: Where the key is written.
        settings: Those of the home folder.
        until: Leaf index that no envelope which the old key signed gets or
            passes: the sequencer and every verifier refuse it there.

    Raises:
        NotFoundError: ``key.file-missing``: the old key is gone.
        UnavailableError: ``home.unusable``: the settings cannot be written.
    """
    old = ed25519.public_key_of(load_seed(home.seed(settings.intake_key)))
    name = f"intake-{len(settings.retired_intakes) + 2}"
    _ensure_seed(home, name)
    retired = RetiredIntakeSettings(key=old.hex(), until=until)
    settings = replace(
        settings, intake_key=name, retired_intakes=(*settings.retired_intakes, retired)
    )
    save_settings(home.path, settings)
    return settings


def rotate_log(home: Home, settings: Settings, *, size: int) -> Settings:
    """Let a fresh Ed25519 key sign checkpoints from now on; return the new settings.

    Key and settings are durable on return. To be called while nobody signs, and
    nobody can any more under an older epoch: a checkpoint above ``size`` by the
    old key would not be believed. The file of the old key stays where it is;
    nothing reads it any more.

    Args:
        home: Where the key is written.
        settings: Those of the home folder.
        size: Size of the last checkpoint, where the old key ends and the new
            one starts; 0 if there is none.

    Raises:
        NotFoundError: ``key.file-missing``: the old key is gone.
        UnavailableError: ``home.unusable``: the settings cannot be written.
    """
    public = ed25519.public_key_of(load_seed(home.seed(settings.log_key)))
    name = f"log-{len(settings.retired_logs) + 2}"
    _ensure_seed(home, name)
    old = VerifierKey(name=settings.origin, kind=ED25519, public=public)
    retired = RetiredLogSettings(vkey=old.encode(), until=size)
    settings = replace(settings, log_key=name, retired_logs=(*settings.retired_logs, retired))
    save_settings(home.path, settings)
    return settings


def _ensure_seed(home: Home, name: str) -> None:
    """Write a fresh key; one that an interrupted call left is taken, since it signed nothing."""
    if not home.seed(name).exists():
        write_seed(home.seed(name))


def load_secrets(home: Home, settings: Settings | None = None) -> Secrets:
    """Read the ledger's own keys.

    Args:
        home: Where they lie.
        settings: Which of them there are; read from the home folder if not given.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable``, ``key.malformed`` or ``key.shared``.
    """
    settings = settings or load_settings(home.path)
    names = _seed_names(settings)
    seeds = {name: load_seed(home.seed(name)) for name in names}
    if len(set(seeds.values())) != len(names):
        raise InputError("key.shared", "two of the ledger's keys are the same")
    secrets = Secrets(
        log=seeds[settings.log_key],
        intake=seeds[settings.intake_key],
        registry=seeds["registry"],
        policies=seeds["policies"],
        log_ml_dsa=seeds.get(_ML_DSA),
    )
    if secrets.intake_public.hex() in {each.key for each in settings.retired_intakes}:
        raise InputError("key.shared", "the intake key has retired")
    retired = {each.key.public for each in settings.retired_logs}
    if retired & {ed25519.public_key_of(seed) for seed in (secrets.log, secrets.intake)}:
        raise InputError("key.shared", "the key of the log or of the intake is a retired log key")
    return secrets


def _seed_names(settings: Settings) -> tuple[str, ...]:
    """Return which keys a ledger has."""
    more = (_ML_DSA,) if settings.log_ml_dsa else ()
    return (*_SEEDS, settings.log_key, settings.intake_key, *more)

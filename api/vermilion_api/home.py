"""The home folder of a ledger: settings, private keys, database.

Made once. A key that is missing later is not replaced by a fresh one: a log
that suddenly signs with another key would be another log.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vermilion_api.keyfiles import load_seed, write_seed
from vermilion_api.settings import SETTINGS_FILE, Settings, load_settings, save_settings
from vermilion_ledger.admission import LedgerIdentity
from vermilion_ledger.commitment import make_record_id
from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_ledger.keys import Roots
from vermilion_ledger.note import ED25519, VerifierKey
from vermilion_ledger.schemes import ed25519, make_keyid

__all__ = ["Home", "Secrets", "create_home", "load_secrets"]

_SEEDS = ("log", "intake", "registry", "policies")


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
        log: Ed25519 seed that signs checkpoints.
        intake: Ed25519 seed that signs envelopes at intake, and closings.
        registry: Record key of the public key record.
        policies: Record key of the public policy record.
    """

    log: bytes
    intake: bytes
    registry: bytes
    policies: bytes

    @property
    def intake_public(self) -> bytes:
        """Public part of the intake key."""
        return ed25519.public_key_of(self.intake)

    def log_key(self, origin: str) -> VerifierKey:
        """Return the log's verifier key."""
        return VerifierKey(name=origin, kind=ED25519, public=ed25519.public_key_of(self.log))

    def identity(self, settings: Settings) -> LedgerIdentity:
        """Return what makes this ledger this ledger."""
        return LedgerIdentity(
            origin=settings.origin,
            roots=Roots(keyids=frozenset(settings.roots), quorum=settings.quorum),
            intake_keyids=frozenset({make_keyid(ed25519.NAME, self.intake_public)}),
            keys_record=make_record_id(self.registry),
            policies_record=make_record_id(self.policies),
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
    for name in _SEEDS:
        # Left by a first start that was interrupted before the settings were written.
        if not home.seed(name).exists():
            write_seed(home.seed(name))
    save_settings(path, settings)
    return home, settings


def load_secrets(home: Home) -> Secrets:
    """Read the ledger's own keys.

    Raises:
        NotFoundError: ``key.file-missing``.
        InputError: ``key.file-readable``, ``key.malformed`` or ``key.shared``.
    """
    seeds = {name: load_seed(home.seed(name)) for name in _SEEDS}
    if len(set(seeds.values())) != len(seeds):
        raise InputError("key.shared", "two of the ledger's keys are the same")
    return Secrets(**seeds)

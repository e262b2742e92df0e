"""The settings of one ledger: `vermilion.toml` in its home folder.

Read once, by `vermilion_api.wiring`; core classes take plain values. Unknown
members are refused. Secrets are files beside it, never settings. Every field
has a line in ``docs/reference/settings.md``, which a test compares.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from dataclasses import MISSING, dataclass, field, fields
from pathlib import Path
from typing import Any

from vermilion_api.chain_settings import ChainSettings
from vermilion_api.classes import ClassSettings, RecordClasses
from vermilion_api.retired_settings import RetiredIntakeSettings, RetiredLogSettings
from vermilion_api.setting import setting as _setting
from vermilion_api.signer_settings import SignerSettings
from vermilion_ledger.encoding import parse_hex
from vermilion_ledger.errors import InputError, NotFoundError, UnavailableError
from vermilion_ledger.limits import TREE_SIZE_MAX
from vermilion_ledger.note import check_key_name

__all__ = [
    "SETTINGS_FILE",
    "ChainSettings",
    "RetiredIntakeSettings",
    "RetiredLogSettings",
    "Settings",
    "TsaSettings",
    "load_settings",
    "save_settings",
]

SETTINGS_FILE = "vermilion.toml"
# in the file: tables, most of them of another name
_TABLE_FIELDS = frozenset(
    {"chains", "classes", "retired_intakes", "retired_logs", "signer", "tsas"}
)
_TEXT_OR_LIST = "rpc"  # the one setting that is either
_HEADER_NAME = re.compile(r"[A-Za-z0-9-]{1,64}\Z", re.ASCII)
_KEY_NAME = re.compile(r"[a-z0-9]+(?:-[a-z0-9]+)*\Z", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class TsaSettings:
    """One ``[[tsa]]`` table: a time-stamping authority (RFC 3161)."""

    url: str = _setting("", "URL", "Address of the authority, by which it is never asked twice.")
    roots: str = _setting(
        "", "file name", "PEM file with the authority's root certificates, from the home folder on."
    )
    timeout_seconds: float = _setting(10.0, "seconds", "How long an answer may take as a whole.")

    def __post_init__(self) -> None:
        if not self.url.startswith(("http://", "https://")) or "@" in self.url:
            raise InputError("settings.value", "tsa.url is no http address, or has a password")
        if not self.roots.endswith(".pem") or self.timeout_seconds <= 0:
            raise InputError("settings.value", "a tsa has roots in a .pem and a timeout above 0")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything an operator may choose."""

    origin: str = _setting(
        "localhost/vermilion", "schema-less URL", "Name of the log; never changed afterwards."
    )
    host: str = _setting("127.0.0.1", "address", "Address the API listens on.")
    port: int = _setting(8460, "TCP port", "Port the API listens on; 0 takes a free one.")
    database_url: str = _setting(
        "", "URL", "PostgreSQL or SQLite; empty is `ledger.db` in the home folder."
    )
    head_url: str = _setting(
        "", "URL", "Database of the signed head and the checkpoints; empty is `database_url`."
    )
    tiles_url: str = _setting(
        "", "URL", "Where the log's tiles are: `file:///…` or `s3://…`; empty is `log/` here."
    )
    sequencer: str = _setting(
        "auto",
        "word",
        "`inside` the API process, `outside` of it, or `auto`: inside with SQLite.",
    )
    publish_interval_seconds: float = _setting(1.0, "seconds", "Least time between checkpoints.")
    processes: int = _setting(
        1, "processes", "API processes behind one port; more than one needs PostgreSQL."
    )
    requests_max: int = _setting(
        2048, "requests", "Requests in flight in one API process; more are answered 503."
    )
    bodies_max_bytes: int = _setting(
        67_108_864, "bytes", "Bodies of the requests in flight in one API process."
    )
    sequencer_lease_seconds: float = _setting(
        5.0, "seconds", "How long a silent sequencer keeps others out."
    )
    group_wait_seconds: float = _setting(
        0.02, "seconds", "Longest that a submission waits for others to share its commit."
    )
    group_count_max: int = _setting(4096, "submissions", "Submissions that share a commit.")
    queue_count_max: int = _setting(50_000, "submissions", "Submissions waiting for a commit.")
    wait_seconds: float = _setting(10.0, "seconds", "`timeout` of a submission that names none.")
    offered_block_days: float = _setting(
        6.0, "days", "Oldest anchor block that is offered to be quoted as `seen`."
    )
    anchor_interval_seconds: float = _setting(10.0, "seconds", "Least time between two anchors.")
    anchor_poll_seconds: float = _setting(1.0, "seconds", "Pause between looks at the chain.")
    node_port: int = _setting(
        8545, "TCP port", "Port of the local Anvil node that `up` starts; 0 starts none."
    )
    node_block_seconds: int = _setting(1, "seconds", "Pace of the local node's blocks.")
    intake_key: str = _setting(
        "intake",
        "file name",
        "Key that signs at intake: `keys/NAME.key`; `vermilion keys rotate-intake` sets it.",
    )
    log_key: str = _setting(
        "log",
        "file name",
        "Ed25519 key that signs checkpoints: `keys/NAME.key`; `vermilion keys rotate-log` sets it.",
    )
    log_ml_dsa: bool = _setting(
        False,  # noqa: FBT003 - a default
        "true or false",
        "Sign checkpoints with ML-DSA-44 beside Ed25519; `vermilion keys add-ml-dsa` sets it.",
    )
    log_ml_dsa_from: int = _setting(
        0, "leaf index", "`from` of the ML-DSA-44 key in the exported trust policy."
    )
    anchors_required: int = _setting(
        1, "chains", "`[anchors] required` of the exported trust policy."
    )
    quorum: int = _setting(1, "roots", "How many roots must sign a key or policy event.")
    roots: tuple[str, ...] = _setting(
        (), "key ids", "Keys that may register and revoke keys and adopt policies."
    )
    class_required: bool = _setting(
        False,  # noqa: FBT003 - a default
        "true or false",
        "Refuse a registration that names neither a class nor a policy.",
    )
    step_up_header: str = _setting(
        "",
        "header name",
        "What tells of work secrets is given only where the gateway sets this header, as it does"
        " once somebody has just proved again who they are; empty asks for none.",
    )
    certificate_roots: tuple[str, ...] = _setting(
        (),
        "file names",
        "PEM files with the roots of who certifies people's keys, from the home folder on.",
    )
    certificates_required: bool = _setting(
        False,  # noqa: FBT003 - a default
        "true or false",
        "`[certificates] required` of the exported trust policy.",
    )
    signer: SignerSettings = field(
        default=SignerSettings(), metadata={"unit": "table", "text": "The `[signer]` table."}
    )
    chains: tuple[ChainSettings, ...] = field(
        default=(), metadata={"unit": "tables", "text": "The `[[chain]]` tables."}
    )
    retired_intakes: tuple[RetiredIntakeSettings, ...] = field(
        default=(), metadata={"unit": "tables", "text": "The `[[retired_intake]]` tables."}
    )
    retired_logs: tuple[RetiredLogSettings, ...] = field(
        default=(), metadata={"unit": "tables", "text": "The `[[retired_log]]` tables."}
    )
    tsas: tuple[TsaSettings, ...] = field(
        default=(), metadata={"unit": "tables", "text": "The `[[tsa]]` tables."}
    )
    classes: tuple[ClassSettings, ...] = field(
        default=(), metadata={"unit": "tables", "text": "The `[[class]]` tables."}
    )

    @property
    def online_chains(self) -> tuple[ChainSettings, ...]:
        """The chains that have a node to be asked."""
        return tuple(chain for chain in self.chains if not chain.courier)

    @property
    def record_classes(self) -> RecordClasses:
        """The classes that a registration may name."""
        return RecordClasses(
            policies={each.name: each.policy for each in self.classes},
            is_required=self.class_required,
        )

    def __post_init__(self) -> None:
        check_key_name(self.origin)
        for root in self.roots:
            parse_hex(root, size=32, what="roots")
        for name in ("port", "node_port"):
            if not 0 <= getattr(self, name) <= 65535:
                raise InputError("settings.value", f"{name} is no port: {getattr(self, name)}")
        if self.sequencer not in {"auto", "inside", "outside"}:
            raise InputError("settings.value", f"sequencer is no such word: {self.sequencer}")
        if not 0 <= self.group_wait_seconds <= 1 or self.group_count_max < 1:
            raise InputError("settings.value", "group_wait_seconds or group_count_max is off")
        for name in ("processes", "requests_max", "bodies_max_bytes"):
            if getattr(self, name) < 1:
                raise InputError("settings.value", f"{name} is below 1")
        if self.publish_interval_seconds < 0.05:
            raise InputError("settings.value", "publish_interval_seconds is below 0.05")
        if self.quorum < 1 or not 0 < self.offered_block_days <= 6:
            raise InputError("settings.value", "quorum or offered_block_days is out of range")
        self._check_roots()
        if len({each.name for each in self.classes}) < len(self.classes):
            raise InputError("settings.value", "each class has a name of its own")
        if self.step_up_header and not _HEADER_NAME.match(self.step_up_header):
            raise InputError("settings.value", "step_up_header is no name of a header")
        self._check_keys()
        for name in ("sequencer_lease_seconds", "wait_seconds", "anchor_poll_seconds"):
            if getattr(self, name) <= 0:
                raise InputError("settings.value", f"{name} is not above 0")

    def _check_keys(self) -> None:
        for name in (self.intake_key, self.log_key):
            if not _KEY_NAME.match(name):
                raise InputError("settings.value", f"{name[:40]!a} names no key file")
        if not 0 <= self.log_ml_dsa_from < TREE_SIZE_MAX:
            raise InputError("settings.value", "log_ml_dsa_from is no leaf index")
        if any(each.key.name != self.origin for each in self.retired_logs):
            raise InputError("settings.value", "a retired_log.vkey is not named as the log")
        ends = [each.until for each in self.retired_logs]
        if ends != sorted(ends):  # each key starts where the one before ended
            raise InputError("settings.value", "the retired_log tables are not in order of until")

    def _check_roots(self) -> None:
        """The exported trust policy names files beside it: no two may share a name."""
        files = [each.roots for each in self.tsas]
        names = {Path(each).name for each in files}
        if len({each.url for each in self.tsas}) < len(files) or len(names) < len(files):
            raise InputError("settings.value", "each tsa has a url and a name of roots of its own")
        if any(not str(each).endswith(".pem") for each in self.certificate_roots):
            raise InputError("settings.value", "certificate_roots names something other than .pem")
        all_files = {*files, *self.certificate_roots}
        if len({Path(each).name for each in all_files}) < len(all_files):
            raise InputError("settings.value", "two files of roots have the same name")
        if self.certificates_required and not self.certificate_roots:
            raise InputError("settings.value", "certificates_required needs certificate_roots")


def load_settings(home: Path) -> Settings:
    """Read the settings of a home folder.

    Raises:
        NotFoundError: ``settings.missing``.
        InputError: ``settings.malformed``, ``settings.unknown`` or
            ``settings.value``.
    """
    path = home / SETTINGS_FILE
    try:
        value = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError as exc:
        raise NotFoundError("settings.missing", f"there is no {SETTINGS_FILE} in {home}") from exc
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as exc:
        raise InputError("settings.malformed", f"{SETTINGS_FILE}: {exc}") from exc
    except OSError as exc:
        raise UnavailableError("home.unusable", f"{path}: {exc.strerror}") from exc
    chains = tuple(ChainSettings(**each) for each in _tables(value, "chain", ChainSettings))
    signer = SignerSettings(**_members(value.pop("signer", {}), SignerSettings, "[signer] of "))
    retired = tuple(
        RetiredIntakeSettings(**each)
        for each in _tables(value, "retired_intake", RetiredIntakeSettings)
    )
    retired_logs = tuple(
        RetiredLogSettings(**each) for each in _tables(value, "retired_log", RetiredLogSettings)
    )
    tsas = tuple(TsaSettings(**each) for each in _tables(value, "tsa", TsaSettings))
    classes = tuple(ClassSettings(**each) for each in _tables(value, "class", ClassSettings))
    return Settings(
        **_members(value, Settings),
        signer=signer,
        chains=chains,
        retired_intakes=retired,
        retired_logs=retired_logs,
        tsas=tsas,
        classes=classes,
    )


def save_settings(home: Path, settings: Settings) -> None:
    """Replace the settings file whole; durable on return.

    Raises:
        UnavailableError: ``home.unusable``.
    """
    lines = ["# Settings of this ledger; each is explained in docs/reference/settings.md."]
    lines += sorted(
        f"{name} = {_toml(getattr(settings, name))}" for name in _names(Settings) - _TABLE_FIELDS
    )
    if settings.signer != SignerSettings():
        lines += ["", "[signer]", *_lines(settings.signer)]
    tables: dict[str, tuple[Any, ...]] = {
        "chain": settings.chains,
        "retired_intake": settings.retired_intakes,
        "retired_log": settings.retired_logs,
        "tsa": settings.tsas,
        "class": settings.classes,
    }
    for table, rows in tables.items():
        for row in rows:
            lines += ["", f"[[{table}]]", *_lines(row)]
    fresh = home / f".{SETTINGS_FILE}.new"
    try:
        with fresh.open("w", encoding="utf-8") as file:
            file.write("\n".join(lines) + "\n")
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(home / SETTINGS_FILE)
        _sync_folder(home)
    except OSError as exc:
        raise UnavailableError("home.unusable", f"{home}: {exc.strerror}") from exc


def _sync_folder(folder: Path) -> None:
    """Make a new name in a folder survive a crash."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _names(kind: type) -> set[str]:
    return {each.name for each in fields(kind)}


def _tables(value: dict[str, Any], name: str, kind: type) -> list[dict[str, Any]]:
    """Take the tables of a name out of the settings, each with its members checked."""
    tables = value.pop(name, [])
    if not isinstance(tables, list):
        raise InputError("settings.value", f"{name} is not a list of tables")
    return [_members(table, kind, f"[[{name}]] of ") for table in tables]


def _members(table: Any, kind: type, where: str = "") -> dict[str, Any]:
    """Check names and types of a table against the fields of a dataclass."""
    if not isinstance(table, dict):
        raise InputError("settings.value", "what should be a table is something else")
    if unknown := sorted(table.keys() - _names(kind) | table.keys() & _TABLE_FIELDS):
        above = unknown[0] in _names(Settings) - _TABLE_FIELDS
        raise InputError(
            "settings.unknown",
            f"{where}{SETTINGS_FILE} has unknown {', '.join(unknown)}"
            + (f": {unknown[0]} stands above the first table" if above else ""),
        )
    members: dict[str, Any] = {}
    for each in fields(kind):
        if each.name not in table:
            continue
        value = table[each.name]
        assert each.default is not MISSING  # noqa: S101 - every setting has a default
        if isinstance(each.default, float) and type(value) is int:
            value = float(value)
        if isinstance(value, list) and (
            isinstance(each.default, tuple) or each.name == _TEXT_OR_LIST
        ):
            members[each.name] = tuple(value)
            continue
        if type(value) is not type(each.default):
            raise InputError("settings.value", f"{each.name} is not {each.metadata['unit']}")
        members[each.name] = value
    return members


def _lines(row: Any) -> list[str]:
    return [f"{each.name} = {_toml(getattr(row, each.name))}" for each in fields(row)]


def _toml(value: Any) -> str:
    if isinstance(value, tuple):
        return "[" + ", ".join(_toml(each) for each in value) + "]"
    # JSON's strings and numbers are TOML's.
    return json.dumps(value, ensure_ascii=False)

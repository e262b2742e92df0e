"""The trust policy: what the verifier believes (FORMATS section 11).

Read from a file that its user was given in person; never from a bundle and
never from the server that is being checked.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from vermilion_ledger.commitment import make_record_id, parse_record_id
from vermilion_ledger.durations import parse_duration
from vermilion_ledger.encoding import check_members, check_text, parse_count, parse_hex
from vermilion_ledger.encoding import parse_wire_hex as parse_wire
from vermilion_ledger.errors import InputError, LimitError, NotFoundError, UnavailableError
from vermilion_ledger.evm.finality import FinalityRule, parse_finality
from vermilion_ledger.keys import Roots
from vermilion_ledger.limits import ORIGIN_SIZE_MAX
from vermilion_ledger.note import COSIGNATURE, ED25519, VerifierKey, parse_vkey
from vermilion_ledger.rules import Rule, parse_rules
from vermilion_ledger.schemes import ed25519, make_keyid
from vermilion_verify.files import read_file

__all__ = [
    "ChainTrust",
    "IntakeKey",
    "LogKey",
    "PublicRecord",
    "TrustPolicy",
    "load_trust_policy",
    "parse_trust_policy",
]

_FILE_SIZE_MAX = 1024 * 1024  # bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class LogKey:
    """A key of the log, in force for checkpoints with ``from ≤ size-1 < until``."""

    key: VerifierKey
    start: int
    end: int | None

    def is_in_force(self, index: int) -> bool:
        """Tell whether ``start ≤ index < end``."""
        return self.start <= index and (self.end is None or index < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class IntakeKey:
    """An Ed25519 key with which the ledger answers for what it accepted."""

    public: bytes
    start: int
    end: int | None

    @property
    def keyid(self) -> str:
        """The key id under which it signs envelopes."""
        return make_keyid(ed25519.NAME, self.public)

    def is_in_force(self, index: int) -> bool:
        """Tell whether ``start ≤ index < end``."""
        return self.start <= index and (self.end is None or index < self.end)


@dataclass(frozen=True, slots=True, kw_only=True)
class PublicRecord:
    """A record whose key is public: that of the keys, or that of the policies."""

    record: str
    key: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class ChainTrust:
    """One contract on one chain whose anchors count.

    Attributes:
        chain_id: EIP-155 chain id.
        contract: 20-byte address.
        code_hash: Keccak-256 of the runtime code, compared when online.
        log: 32-byte identifier of the log in the contract.
        finality: When a canonical block is final, asked of an endpoint only.
        rpc: Endpoints, asked only when online.
    """

    chain_id: int
    contract: bytes
    code_hash: bytes
    log: bytes
    finality: FinalityRule
    rpc: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustPolicy:
    """Everything the verifier believes.

    Attributes:
        header_files: Files of trusted block hashes, named by `[[chain]]` tables.
        anchors_required: Distinct chains with a final anchor over everything.
        certificate_roots: PEM files of those who may certify people's keys.
        certificates_required: Every key that signs a record needs a certificate.
        max_age: A checkpoint older than this cannot be called current.
    """

    origin: str
    log_keys: tuple[LogKey, ...]
    intake_keys: tuple[IntakeKey, ...]
    registry: PublicRecord
    policies: PublicRecord
    roots: Roots
    witness_quorum: int
    witness_keys: tuple[VerifierKey, ...]
    chains: tuple[ChainTrust, ...]
    header_files: tuple[Path, ...]
    anchors_required: int
    timestamps_count: bool
    timestamps_required: int
    timestamp_roots: tuple[Path, ...]
    certificate_roots: tuple[Path, ...]
    certificates_required: bool
    max_age: timedelta | None
    approval_rules: tuple[Rule, ...]


def load_trust_policy(path: Path) -> TrustPolicy:
    """Read a trust policy file.

    Raises:
        NotFoundError: No such file.
        UnavailableError: The file cannot be read.
        InputError: Not TOML, an unknown or missing member, a malformed value,
            a record key that does not fit its record.
    """
    try:
        data = read_file(path, size_max=_FILE_SIZE_MAX)
    except FileNotFoundError as exc:
        raise NotFoundError("trust.missing", f"no trust policy at {path}") from exc
    except OSError as exc:
        raise UnavailableError("trust.unreadable", f"{path}: {exc.strerror}") from exc
    return parse_trust_policy(data, folder=path.parent)


def parse_trust_policy(data: bytes, *, folder: Path) -> TrustPolicy:
    """Read the bytes of a trust policy; paths in it are relative to ``folder``.

    Raises:
        InputError: See `load_trust_policy`.
    """
    if len(data) > _FILE_SIZE_MAX:
        raise LimitError("trust.too-large", "policy bytes", found=len(data), limit=_FILE_SIZE_MAX)
    try:
        value = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as exc:  # also tomllib's own error, and not UTF-8
        raise InputError("trust.malformed", f"the trust policy is not TOML: {exc}") from exc
    top = check_members(
        value,
        required=("version", "log", "registry", "policies"),
        optional=(
            *("witnesses", "chain", "anchors", "timestamps", "certificates", "freshness"),
            "approval",
        ),
        what="trust policy",
    )
    if type(top["version"]) is not int or top["version"] != 1:
        raise InputError("trust.version", f"version {str(top['version'])[:40]!a} is not 1")
    log = check_members(top["log"], required=("origin", "keys", "intake"), what="[log]")
    registry = check_members(
        top["registry"], required=("record", "key", "roots", "quorum"), what="[registry]"
    )
    policies = check_members(top["policies"], required=("record", "key"), what="[policies]")
    origin = check_text(log["origin"], size_max=ORIGIN_SIZE_MAX, what="origin")
    chains = _list(top.get("chain", []), "[[chain]]")
    policy = TrustPolicy(
        origin=origin,
        log_keys=tuple(_log_key(item, origin) for item in _list(log["keys"], "keys")),
        intake_keys=tuple(_intake_key(item) for item in _list(log["intake"], "intake")),
        registry=_public_record(registry),
        policies=_public_record(policies),
        roots=Roots(
            keyids=frozenset(_keyid(item) for item in _list(registry["roots"], "roots")),
            quorum=_positive(registry["quorum"], "quorum"),
        ),
        chains=tuple(_chain(item) for item in chains),
        header_files=tuple(
            _path(name, folder)
            for item in chains
            for name in _list(item.get("headers", []), "headers")
        ),
        approval_rules=_approval(top.get("approval", {})),
        **_thresholds(top, folder),
        **_certificates(top.get("certificates", {}), folder),
    )
    _check_keys_apart(policy)
    return policy


def _thresholds(top: Mapping[str, Any], folder: Path) -> dict[str, Any]:
    witnesses = check_members(
        top.get("witnesses", {}), required=(), optional=("quorum", "keys"), what="[witnesses]"
    )
    anchors = check_members(
        top.get("anchors", {}),
        required=(),
        optional=("required", "timestamps_count"),
        what="[anchors]",
    )
    timestamps = check_members(
        top.get("timestamps", {}), required=(), optional=("required", "roots"), what="[timestamps]"
    )
    freshness = check_members(
        top.get("freshness", {}), required=(), optional=("max_age",), what="[freshness]"
    )
    count = anchors.get("timestamps_count", False)
    if not isinstance(count, bool):
        raise InputError("trust.malformed", "timestamps_count is true or false")
    age = freshness.get("max_age", "")
    return {
        "witness_quorum": parse_count(witnesses.get("quorum", 0), what="witness quorum"),
        "witness_keys": tuple(
            _witness_key(item) for item in _list(witnesses.get("keys", []), "witness keys")
        ),
        "anchors_required": parse_count(anchors.get("required", 1), what="anchors required"),
        "timestamps_count": count,
        "timestamps_required": parse_count(timestamps.get("required", 0), what="timestamps"),
        "timestamp_roots": tuple(
            _path(item, folder) for item in _list(timestamps.get("roots", []), "timestamp roots")
        ),
        "max_age": parse_duration(age) if age != "" else None,
    }


def _certificates(value: Any, folder: Path) -> dict[str, Any]:
    """Read ``[certificates]`` (docs/formats/certificates.md)."""
    members = check_members(
        value, required=(), optional=("roots", "required"), what="[certificates]"
    )
    roots = tuple(
        _path(item, folder) for item in _list(members.get("roots", []), "certificate roots")
    )
    required = members.get("required", False)
    if not isinstance(required, bool):
        raise InputError("trust.malformed", "[certificates] required is true or false")
    if required and not roots:
        raise InputError("trust.malformed", "[certificates] required needs roots")
    return {"certificate_roots": roots, "certificates_required": required}


def _approval(value: Any) -> tuple[Rule, ...]:
    members = check_members(value, required=(), optional=("required",), what="[approval]")
    return parse_rules(members.get("required", []))


def _log_key(value: Any, origin: str) -> LogKey:
    members = check_members(value, required=("vkey", "from"), optional=("until",), what="log key")
    key = parse_vkey(_string(members["vkey"], "vkey"))
    if key.name != origin:
        raise InputError("trust.log-key", f"the log key is named {key.name[:80]!a}, not the origin")
    if key.kind == COSIGNATURE:
        raise InputError("trust.log-key", "a log does not sign with a witness's type of key")
    return LogKey(key=key, start=parse_count(members["from"], what="from"), end=_end(members))


def _witness_key(value: Any) -> VerifierKey:
    key = parse_vkey(_string(value, "witness key"))
    if key.kind == ED25519:
        raise InputError("trust.witness-key", "a witness's key is of type 0x04 or 0x06")
    return key


def _intake_key(value: Any) -> IntakeKey:
    members = check_members(value, required=("key", "from"), optional=("until",), what="intake")
    public = parse_hex(members["key"], size=32, what="intake key")
    ed25519.check_public_key(public)
    return IntakeKey(
        public=public, start=parse_count(members["from"], what="from"), end=_end(members)
    )


def _end(members: Mapping[str, Any]) -> int | None:
    return parse_count(members["until"], what="until") if "until" in members else None


def _public_record(members: Mapping[str, Any]) -> PublicRecord:
    record = parse_record_id(members["record"])
    key = parse_hex(members["key"], size=32, what="record key")
    if make_record_id(key) != record:
        raise InputError("trust.record-key", f"the key does not fit {record}")
    return PublicRecord(record=record, key=key)


def _chain(value: Any) -> ChainTrust:
    members = check_members(
        value,
        required=("id", "contract", "code_hash", "log", "finality"),
        optional=("rpc", "headers"),
        what="[[chain]]",
    )
    return ChainTrust(
        chain_id=parse_count(members["id"], what="chain id"),
        contract=parse_wire(members["contract"], size=20, what="contract"),
        code_hash=parse_wire(members["code_hash"], size=32, what="code_hash"),
        log=parse_wire(members["log"], size=32, what="log"),
        finality=parse_finality(_string(members["finality"], "finality")),
        rpc=tuple(_string(item, "rpc") for item in _list(members.get("rpc", []), "rpc")),
    )


def _check_keys_apart(policy: TrustPolicy) -> None:
    """An intake key is no log key (FORMATS section 4); each trust has a holder of its own."""
    log_keys = {item.key.public for item in policy.log_keys}
    if any(item.public in log_keys for item in policy.intake_keys):
        raise InputError("trust.shared-key", "an intake key is a log key as well")
    if any(item.keyid in policy.roots.keyids for item in policy.intake_keys):
        raise InputError("trust.shared-key", "an intake key is a root as well")
    if any(key.name == policy.origin for key in policy.witness_keys):
        raise InputError("trust.shared-key", "the log is not its own witness")
    if policy.registry.record == policy.policies.record:
        raise InputError("trust.shared-record", "keys and policies have a record each")
    tables = [(chain.chain_id, chain.contract, chain.log) for chain in policy.chains]
    if len(set(tables)) != len(tables):
        raise InputError("trust.chain-repeated", "a chain, contract and log have one table")


def _keyid(value: Any) -> str:
    return parse_hex(value, size=32, what="root keyid").hex()


def _positive(value: Any, what: str) -> int:
    count = parse_count(value, what=what)
    if count < 1:
        raise InputError("trust.quorum", f"{what} is at least 1")
    return count


def _path(value: Any, folder: Path) -> Path:
    return folder / _string(value, "path")


def _string(value: Any, what: str) -> str:
    if not isinstance(value, str):
        raise InputError("trust.malformed", f"{what} is not text")
    return value


def _list(value: Any, what: str) -> list[Any]:
    if not isinstance(value, list):
        raise InputError("trust.malformed", f"{what} is not a list")
    return value

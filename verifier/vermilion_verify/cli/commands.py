"""The subcommands of ``vermilion-verify``, each a thin shell over a library call."""

from __future__ import annotations

import argparse
import json
import os
import stat
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from vermilion_ledger.bundle import EvidenceBundle, parse_bundle
from vermilion_ledger.digest import digest_file
from vermilion_ledger.encoding import Json, parse_json
from vermilion_ledger.errors import EvidenceError, NotFoundError, UnavailableError
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_verify.blocks import BlockJudge, load_block_hashes
from vermilion_verify.case import Document
from vermilion_verify.cli import history
from vermilion_verify.files import read_file
from vermilion_verify.numbering import load_disclosure
from vermilion_verify.policy import TrustPolicy, load_trust_policy
from vermilion_verify.printing import render_error, render_report, safe_text
from vermilion_verify.registry import load_registry_file
from vermilion_verify.report import Report
from vermilion_verify.texts import TEXTS
from vermilion_verify.timestamps import load_authorities, load_issuers
from vermilion_verify.verdict import EXIT_CODES
from vermilion_verify.verify import Question, verify_bundle

if TYPE_CHECKING:
    from vermilion_verify.evm import RpcEndpoint

__all__ = ["run"]

_SOME_FAILED = 7
_PROGRESS_SIZE_MIN = 64 * 1024 * 1024  # bytes; a smaller file is hashed in a blink


def run(options: argparse.Namespace, language: str) -> int:
    """Run one subcommand and return its exit code.

    Raises:
        EvidenceError: Something that the user named cannot be used.
    """
    if options.command == "inspect":
        return _inspect(options, language)
    if options.command == "history":
        return history.run(options, language)
    if options.command == "headers":
        from vermilion_verify.cli import headers  # the network, which no other subcommand needs

        return headers.run(options, language)
    if options.command == "trust":
        return _show_trust(options)
    policy = load_trust_policy(options.trust)
    question = Question(
        now=datetime.now(UTC),
        as_of=options.as_of,
        registry_file=load_registry_file(options.registry) if options.registry else None,
        log_entries=options.log_entries,
        number=load_disclosure(options.number) if getattr(options, "number", None) else None,
    )
    judge = _make_judge(options, policy)
    authorities = load_authorities(policy.timestamp_roots)
    issuers = load_issuers(policy.certificate_roots)

    def verify(file: Path, bundle: Path) -> tuple[Report, Document]:
        data = _read_bundle(bundle)
        document = _digest(file, data)
        report = verify_bundle(
            data,
            document,
            policy,
            judge=judge,
            question=question,
            authorities=authorities,
            issuers=issuers,
        )
        return report, document

    if options.command == "audit":
        return _audit(options, language, verify)
    report, document = verify(options.file, options.bundle)
    _print_report(report, document, options, language)
    return EXIT_CODES[report.verdict]


def _audit(
    options: argparse.Namespace,
    language: str,
    verify: Callable[[Path, Path], tuple[Report, Document]],
) -> int:
    """Verify each file that lies in a folder; 7 where some of many fail."""
    codes = []
    for file in _files(options.folder):
        bundle = options.evidence / f"{file.name}.evidence.json"
        try:
            _refuse_pipe(bundle)
            report, _ = verify(file, bundle)
        except EvidenceError as exc:
            codes.append(5)
            error = render_error(exc, language=language)
            print(f"{safe_text(file.name)}: {error}", file=sys.stderr)
            if options.json:
                _print_json(
                    {"file": file.name, "error": {"code": exc.code, "message": exc.message}}
                )
            continue
        codes.append(EXIT_CODES[report.verdict])
        if options.json:
            _print_json({"file": file.name, **report.to_json()})
        else:
            print(f"{report.verdict.value:<12} {safe_text(file.name)}")
    if len(set(codes)) == 1:
        return codes[0]
    return _SOME_FAILED if any(codes) else 0


def _files(folder: Path) -> Iterator[Path]:
    try:
        found = sorted(path for path in folder.iterdir() if path.is_file())
    except FileNotFoundError as exc:
        raise NotFoundError("audit.missing", f"no folder {folder}") from exc
    except OSError as exc:
        raise UnavailableError("audit.unreadable", f"{folder}: {exc.strerror}") from exc
    if not found:
        raise NotFoundError("audit.empty", f"no file in {folder}")
    yield from found


def _refuse_pipe(path: Path) -> None:
    """Refuse what nobody named and would have to be waited for, such as a pipe in an archive."""
    try:
        is_other = not stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return  # whoever reads it says why it cannot be read
    if is_other:
        raise UnavailableError("bundle.unreadable", f"{path} is not a file")


def _print_report(
    report: Report, document: Document, options: argparse.Namespace, language: str
) -> None:
    stream = sys.stderr if options.json else sys.stdout
    text = render_report(
        report,
        language=language,
        colour=stream.isatty() and not os.environ.get("NO_COLOR"),
        name=document.name,
        size=document.size,
    )
    print(text, file=stream)
    if options.json:
        _print_json(report.to_json())


def _inspect(options: argparse.Namespace, language: str) -> int:
    bundle = parse_bundle(_read_bundle(options.bundle))
    value = _describe(bundle)
    if options.json:
        _print_json(value)
    else:
        _print_json(value, indent=2)
        print(TEXTS["not-checked"].say(language), file=sys.stderr)
    return 0


def _describe(bundle: EvidenceBundle) -> dict[str, Any]:
    """Return what a bundle claims, with its statements opened."""
    value = bundle.to_json()
    for array, entries in (
        ("entries", bundle.entries),
        ("keys", bundle.keys),
        ("policies", bundle.policies),
    ):
        for member, entry in zip(value[array], entries, strict=True):
            member["statement"] = _parse_payload(entry.envelope.payload)
            member["signatures"] = member.pop("envelope")["signatures"]
    return value


def _parse_payload(payload: bytes) -> Json:
    return parse_json(payload, size_max=len(payload), what="statement")


def _show_trust(options: argparse.Namespace) -> int:
    policy = load_trust_policy(options.trust)
    value = {
        "origin": policy.origin,
        "logKeys": [item.key.encode() for item in policy.log_keys],
        "intakeKeys": [item.public.hex() for item in policy.intake_keys],
        "registry": policy.registry.record,
        "roots": sorted(policy.roots.keyids),
        "quorum": policy.roots.quorum,
        "policies": policy.policies.record,
        "witnesses": [key.name for key in policy.witness_keys],
        "witnessQuorum": policy.witness_quorum,
        "chains": [
            {
                "id": chain.chain_id,
                "contract": "0x" + chain.contract.hex(),
                "log": "0x" + chain.log.hex(),
                "finality": chain.finality.text,
                "rpc": list(chain.rpc),
            }
            for chain in policy.chains
        ],
        "anchorsRequired": policy.anchors_required,
        "timestampsRequired": policy.timestamps_required,
        "timestampsCount": policy.timestamps_count,
        "timestampRoots": [str(path) for path in policy.timestamp_roots],
        "certificateRoots": [str(path) for path in policy.certificate_roots],
        "certificatesRequired": policy.certificates_required,
        "rules": [rule.to_json() for rule in policy.approval_rules],
    }
    _print_json(value, indent=None if options.json else 2)
    return 0


def _make_judge(options: argparse.Namespace, policy: TrustPolicy) -> BlockJudge:
    listed = load_block_hashes([*policy.header_files, *options.header_hashes])
    return BlockJudge(listed, _make_endpoints(options, policy))


def _make_endpoints(options: argparse.Namespace, policy: TrustPolicy) -> list[RpcEndpoint]:
    """Return the nodes to ask: those named now and, unless offline, the policy's."""
    if options.offline:
        return []
    urls = [*options.rpc, *(url for chain in policy.chains for url in chain.rpc)]
    if not urls:
        return []
    from vermilion_verify.evm import RpcEndpoint

    return [RpcEndpoint(url) for url in dict.fromkeys(urls)]


def _digest(file: Path, bundle: bytes) -> Document:
    """Hash the file; SM3 only where the bundle carries one."""
    progress = _progress(file) if sys.stderr.isatty() else None
    try:
        digest = digest_file(file, sm3=_has_sm3(bundle), progress=progress, follow=True)
    except UnavailableError as exc:
        if exc.code != "digest.sm3-unavailable":
            raise
        # The report will say that the recorded SM3 could not be compared.
        digest = digest_file(file, progress=progress, follow=True)
    return Document(sha256=digest.sha256, sm3=digest.sm3, name=file.name, size=digest.size)


def _has_sm3(data: bytes) -> bool:
    try:
        bundle = parse_bundle(data)
    except EvidenceError:
        return False  # the report will say why
    return any(entry.envelope.statement.subject.sm3 is not None for entry in bundle.entries)


def _progress(file: Path) -> Callable[[int], None] | None:
    size = file.stat().st_size if file.is_file() else 0
    if size < _PROGRESS_SIZE_MIN:
        return None
    done = 0

    def show(count: int) -> None:
        nonlocal done
        done += count
        end = "\n" if done >= size else ""
        print(
            f"\r{safe_text(file.name)}: {100 * done // size} %",
            end=end,
            file=sys.stderr,
            flush=True,
        )

    return show


def _read_bundle(path: Path) -> bytes:
    """Read a bundle; one byte beyond its bound is enough to refuse it."""
    try:
        return read_file(path, size_max=BUNDLE_SIZE_MAX)
    except FileNotFoundError as exc:
        raise NotFoundError("bundle.missing", f"no bundle at {path}") from exc
    except OSError as exc:
        raise UnavailableError("bundle.unreadable", f"{path}: {exc.strerror}") from exc


def _print_json(value: object, *, indent: int | None = None) -> None:
    """Print JSON in which every character that could steer a terminal is escaped."""
    separators = (",", ":") if indent is None else (",", ": ")
    text = json.dumps(value, ensure_ascii=False, indent=indent, separators=separators)
    print("\n".join(safe_text(line) for line in text.split("\n")))

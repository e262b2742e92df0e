"""``vermilion-verify history``: what a bundle tells, in the formats of others. Checks nothing."""

from __future__ import annotations

import argparse
import json
import sys

from vermilion_ledger.bundle import EvidenceBundle, parse_bundle
from vermilion_ledger.errors import NotFoundError, UnavailableError
from vermilion_ledger.limits import BUNDLE_SIZE_MAX
from vermilion_verify.cloudevents import describe_events, list_envelopes
from vermilion_verify.files import read_file
from vermilion_verify.provenance import describe_provenance
from vermilion_verify.texts import TEXTS

__all__ = ["run"]


def run(options: argparse.Namespace, language: str) -> int:
    """Write the history of a record to a file, or print it.

    Raises:
        NotFoundError: There is no such bundle.
        UnavailableError: It cannot be read, or the result not be written.
        InputError: It is malformed.
    """
    data = _render(parse_bundle(_read(options)), options.form)
    if options.output is None:
        print(data.decode("ascii"), end="")
    else:
        try:
            options.output.write_bytes(data)
        except OSError as exc:
            raise UnavailableError(
                "history.unwritable", f"{options.output}: {exc.strerror}"
            ) from exc
    print(TEXTS["not-checked"].say(language), file=sys.stderr)
    return 0


def _render(bundle: EvidenceBundle, form: str) -> bytes:
    if form == "statements":
        return b"".join(each + b"\n" for each in list_envelopes(bundle))
    if form == "cloudevents":
        return b"".join(_line(each) for each in describe_events(bundle))
    return _line(describe_provenance(bundle))


def _line(value: object) -> bytes:
    """Return JSON in ASCII: what could steer a terminal is escaped."""
    return json.dumps(value, separators=(",", ":")).encode("ascii") + b"\n"


def _read(options: argparse.Namespace) -> bytes:
    path = options.bundle
    try:
        return read_file(path, size_max=BUNDLE_SIZE_MAX)
    except FileNotFoundError as exc:
        raise NotFoundError("bundle.missing", f"no bundle at {path}") from exc
    except OSError as exc:
        raise UnavailableError("bundle.unreadable", f"{path}: {exc.strerror}") from exc

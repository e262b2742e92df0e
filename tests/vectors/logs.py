"""Vectors of the log: Merkle proofs, notes, checkpoints, vkeys, entries, record ids."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

import office
from vermilion_ledger.checkpoint import Checkpoint, sign_checkpoint
from vermilion_ledger.commitment import commit, encode_entry, make_record_id, make_tag
from vermilion_ledger.encoding import encode_base64
from vermilion_ledger.merkle import hash_leaf
from vermilion_ledger.note import COSIGNATURE, ED25519, NoteSignature, VerifierKey, encode_note
from vermilion_ledger.schemes import ed25519
from vermilion_ledger.tree import Frontier, Node, build_consistency, build_inclusion, root_at

__all__ = ["vectors"]

Vector = dict[str, Any]
Named = Iterator[tuple[str, str, Vector]]
LOG_KEY = VerifierKey(name=office.ORIGIN, kind=ED25519, public=ed25519.public_key_of(office.LOG_SEED))
WITNESS_SEED = office.secret("witness")
WITNESS = VerifierKey(name="witness.example.org", kind=COSIGNATURE, public=ed25519.public_key_of(WITNESS_SEED))
WIDE = "a\u3000b"
ROOT = office.secret("a root")
TEXT = f"{office.ORIGIN}\n1024\n{encode_base64(ROOT)}\n"


def vectors() -> Named:
    """Yield folder, name and vector."""
    yield from _inclusion()
    yield from _consistency()
    yield from _notes()
    yield from _checkpoints()
    yield from _vkeys()
    yield from _entries()


def _refused(why: str, code: str, **members: Any) -> Vector:
    return {"why": why, "accept": False, "code": code, **members}


def _accepted(why: str, **members: Any) -> Vector:
    return {"why": why, "accept": True, **members}


class _Tree:
    """A tree of thirteen leaves, so that no proof is of an even shape."""

    def __init__(self) -> None:
        self.leaves = [hash_leaf(f"leaf {index}".encode()) for index in range(13)]
        self._nodes: dict[Node, bytes] = {}
        frontier = Frontier()
        for leaf in self.leaves:
            self._nodes.update(frontier.append(leaf))

    def read(self, nodes: Sequence[Node]) -> Sequence[bytes]:
        return [self._nodes[node] for node in nodes]

    def inclusion(self, index: int, size: int) -> Vector:
        return {"leafHash": self.leaves[index].hex(), "index": index, "size": size, "proof": [node.hex() for node in build_inclusion(index, size, self.read)], "root": root_at(size, self.read).hex()}

    def consistency(self, old: int, new: int) -> Vector:
        return {"size1": old, "root1": root_at(old, self.read).hex(), "size2": new, "root2": root_at(new, self.read).hex(), "proof": [node.hex() for node in build_consistency(old, new, self.read)]}


def _inclusion() -> Named:
    tree = _Tree()
    for index, size in ((0, 1), (4, 8), (6, 13), (12, 13)):
        yield ("merkle-inclusion", f"leaf-{index}-of-{size}", _accepted("a good proof", **tree.inclusion(index, size)))
    good = tree.inclusion(6, 13)
    proof, mismatch, length = good["proof"], "merkle.root-mismatch", "merkle.proof-length"
    inner = tree.inclusion(0, 8)
    for name, why, code, changes in (
        ("other-leaf", "a leaf of the same tree", mismatch, {"leafHash": tree.leaves[5].hex()}),
        ("other-index", "the neighbour's place", mismatch, {"index": 7}),
        ("other-root", "the root of a smaller tree", mismatch, {"root": inner["root"]}),
        ("size-of-a-taller-tree", "the path ends too early", length, {"size": 17}),
        ("swapped-siblings", "two siblings exchanged", mismatch, {"proof": proof[1::-1] + proof[2:]}),
        ("zero-sibling", "a sibling of zeros", mismatch, {"proof": ["00" * 32, *proof[1:]]}),
        ("truncated", "the topmost sibling is missing", length, {"proof": proof[:-1]}),
        ("extended", "a sibling too many", length, {"proof": [*proof, good["root"]]}),
        ("empty-proof", "no siblings at all", length, {"proof": []}),
        ("leaf-is-root", "the root as a leaf, without a path", length, {"leafHash": good["root"], "proof": []}),
        ("index-is-size", "just outside of the tree", "merkle.index-range", {"index": 13}),
        ("index-negative", "before the first leaf", "merkle.index-range", {"index": -1}),
        ("index-2-to-64-minus-1", "minus one of an unsigned type", "merkle.index-range", {"index": 2**64 - 1}),
        ("size-0", "an empty tree has no leaves", "merkle.size-range", {"size": 0, "index": 0}),
        ("size-2-to-53", "beyond the largest size", "merkle.size-range", {"size": 2**53}),
        ("proof-of-64", "longer than any proof", length, {"proof": ["00" * 32] * 64}),
        ("short-hash", "a sibling of 31 bytes", "merkle.hash-size", {"proof": [proof[0][2:], *proof[1:]]}),
        ("long-root", "a root of 33 bytes", "merkle.hash-size", {"root": good["root"] + "00"}),
    ):
        yield "merkle-inclusion", name, _refused(why, code, **(good | changes))
    # CVE-2012-2459 and the like: an inner node must not pass as a leaf
    children = tree.leaves[0].hex() + tree.leaves[1].hex()
    attack = tree.inclusion(0, 2) | {"leafHash": hash_leaf(bytes.fromhex(children)).hex(), "size": 1}
    yield ("merkle-inclusion", "inner-node-as-leaf", _refused("two hashes offered as the bytes of one leaf", mismatch, **(attack | {"proof": []})))


def _consistency() -> Named:
    tree = _Tree()
    for old, new in ((1, 1), (4, 13), (6, 7), (7, 13), (13, 13)):
        yield ("merkle-consistency", f"{old}-to-{new}", _accepted("a good proof", **tree.consistency(old, new)))
    good = tree.consistency(6, 13)
    proof, mismatch, length = good["proof"], "merkle.root-mismatch", "merkle.proof-length"
    for name, why, code, changes in (
        ("forked-old-root", "another history", mismatch, {"root1": tree.consistency(5, 13)["root1"]}),
        ("forked-new-root", "another present", mismatch, {"root2": tree.consistency(6, 12)["root2"]}),
        ("swapped-roots", "backwards in time", mismatch, {"root1": good["root2"], "root2": good["root1"]}),
        ("zero-first-hash", "the start is another node", mismatch, {"proof": ["00" * 32, *proof[1:]]}),
        ("truncated", "the last hash is missing", length, {"proof": proof[:-1]}),
        ("extended", "a hash too many", length, {"proof": [*proof, proof[0]]}),
        ("empty-proof", "different sizes without a proof", length, {"proof": []}),
        ("rollback", "the newer tree is smaller", "merkle.size-order", {"size1": 13, "size2": 6}),
        ("from-0", "an empty tree proves nothing", "merkle.size-range", {"size1": 0, "proof": []}),
        ("other-size", "sizes that need another proof", length, {"size1": 8}),
        ("from-0-to-0", "nor does 0 to 0", "merkle.size-range", {"size1": 0, "size2": 0, "proof": []}),
        ("to-2-to-53", "beyond the largest size", "merkle.size-range", {"size2": 2**53}),
        ("short-hash", "a hash of 31 bytes", "merkle.hash-size", {"proof": [proof[0][2:], *proof[1:]]}),
    ):
        yield "merkle-consistency", name, _refused(why, code, **(good | changes))
    same = tree.consistency(13, 13)
    for name, why, code, changes in (("equal-sizes-other-root", "a split view", mismatch, {"root2": "11" * 32}), ("equal-sizes-with-proof", "a proof of nothing", length, {"proof": ["11" * 32]})):
        yield "merkle-consistency", name, _refused(why, code, **(same | changes))


def _log_line() -> str:
    note = sign_checkpoint(Checkpoint(origin=office.ORIGIN, size=1024, root=ROOT), office.LOG_SEED)
    return note.removeprefix(TEXT + "\n")


def _cosignature(seconds: int, *, signed_seconds: int | None = None) -> str:
    stated = seconds if signed_seconds is None else signed_seconds
    message = f"cosignature/v1\ntime {stated}\n{TEXT}".encode()
    blob = seconds.to_bytes(8, "big") + Ed25519PrivateKey.from_private_bytes(WITNESS_SEED).sign(message)
    line = NoteSignature(name=WITNESS.name, key_id=WITNESS.key_id, blob=blob)
    return encode_note("", (line,)).removeprefix("\n")


def _line(name: str, blob: bytes) -> str:
    return f"— {name} {encode_base64(blob)}\n"


def _notes() -> Named:
    line, unknown = _log_line(), _line("stranger", bytes(40))
    accepted = {
        "one-line": ("the ordinary case", f"{TEXT}\n{line}"),
        "two-lines": ("a second signer", f"{TEXT}\n{line}{unknown}"),
        "blank-line-in-text": ("the last blank line divides", f"a\n\nb\n\n{line}"),
        "large-unknown-line": ("a signature of 17 kB under a scheme of the future", f"{TEXT}\n{line}{_line('future', bytes(17_000))}"),
        "sixty-four-lines": ("the largest number of lines", f"{TEXT}\n" + "".join(_line("s", bytes([n]) * 5) for n in range(64))),
    }
    for name, (why, text) in accepted.items():
        yield "note", name, _accepted(why, note=encode_base64(text.encode()))
    refused = {
        "no-blank-line": ("text runs into signatures", "note.no-signatures", TEXT + line),
        "no-signature": ("nobody signed", "note.no-signatures", f"{TEXT}\n"),
        "no-text": ("signatures of nothing", "note.no-signatures", f"\n\n{line}"),
        "no-final-line-feed": ("the last line is unfinished", "note.unfinished-line", f"{TEXT}\n{line}"[:-1]),
        "windows-line-ends": ("CR is no part of notes", "note.windows-line-end", f"{TEXT}\n{line}".replace("\n", "\r\n")),
        "tab": ("a control character", "note.control-character", f"a\tb\n\n{line}"),
        "null": ("a control character", "note.control-character", f"a\0\n\n{line}"),
        "hyphen": ("a hyphen is no em dash", "note.signature-line", f"{TEXT}\n- {line[2:]}"),
        "no-name": ("no signer", "note.key-name", f"{TEXT}\n—  {encode_base64(bytes(9))}\n"),
        "plus-in-name": ("no vkey could have that name", "note.key-name", f"{TEXT}\n{_line('a+b', bytes(9))}"),
        "wide-space-in-name": ("U+3000 is a space", "note.key-name", f"{TEXT}\n{_line(WIDE, bytes(9))}"),
        "no-signature-bytes": ("a key id alone", "note.signature-line", f"{TEXT}\n{_line('a', bytes(4))}"),
        "no-base64": ("a name alone", "note.signature-line", f"{TEXT}\n— a\n"),
        "unpadded": ("base64 without its padding", "base64.malformed", f"{TEXT}\n{_line('a', bytes(7)).replace('=', '')}"),
        "trailing-space": ("a space behind", "base64.malformed", f"{TEXT}\n{line[:-1]} \n"),
        "repeated-line": ("counted twice by the careless", "note.repeated-signature", f"{TEXT}\n{line}{line}"),
        "text-between-signatures": ("text that nobody signed", "note.signature-line", f"{TEXT}\n{line}x\n{unknown}"),
        "sixty-five-lines": ("one line too many", "note.too-many-signatures", f"{TEXT}\n" + "".join(_line("s", bytes([n]) * 5) for n in range(65))),
    }
    for name, (why, code, text) in refused.items():
        yield "note", name, _refused(why, code, note=encode_base64(text.encode()))
    latin = f"{TEXT}\n".encode() + b"\x97 a AAAAAAAAAA==\n"
    yield "note", "latin-1", _refused("not UTF-8", "note.not-utf8", note=encode_base64(latin))
    large = f"{'x' * 65_536}\n\n{line}".encode()
    yield "note", "above-64-kib", _refused("too large", "note.too-large", note=encode_base64(large))


def _checkpoints() -> Named:
    keys = [LOG_KEY.encode(), WITNESS.encode()]
    line, cosignature = _log_line(), _cosignature(1_795_248_000)

    def vector(text: str) -> Vector:
        return {"note": encode_base64(text.encode()), "keys": keys}

    for name, why, text, signers in (
        ("log-key", "signed by the log", f"{TEXT}\n{line}", keys[:1]),
        ("cosigned", "and by a witness", f"{TEXT}\n{line}{cosignature}", keys),
        ("witness-first", "in any order", f"{TEXT}\n{cosignature}{line}", keys),
        ("same-name-unknown-key", "a second line of the log's name under a key that nobody knows is ignored", f"{TEXT}\n{line}{_line(office.ORIGIN, bytes(68))}", keys[:1]),
        ("unknown-signers-only", "well formed, signed by nobody known", f"{TEXT}\n{_line('x', bytes(68))}", []),
    ):
        yield "checkpoint", name, _accepted(why, **vector(text), signedBy=signers)
    origin, size, root = TEXT.splitlines()
    for name, why, code, text in (
        ("extension-line", "a fourth line", "checkpoint.lines", f"{TEXT}extension\n"),
        ("no-origin", "the first line is missing", "checkpoint.lines", f"{size}\n{root}\n"),
        ("no-root", "the third line is missing", "checkpoint.lines", f"{origin}\n{size}\n"),
        ("leading-zero", "one size, one text", "checkpoint.size", f"{origin}\n01024\n{root}\n"),
        ("plus-sign", "no signs", "checkpoint.size", f"{origin}\n+1024\n{root}\n"),
        ("size-0", "an empty log says nothing", "checkpoint.size", f"{origin}\n0\n{root}\n"),
        ("size-2-to-53", "beyond the largest size", "checkpoint.size", f"{origin}\n{2**53}\n{root}\n"),
        ("full-width-digits", "digits that are not ASCII", "checkpoint.size", f"{origin}\n１０２４\n{root}\n"),
        ("root-of-31-bytes", "a short root", "checkpoint.root", f"{origin}\n{size}\n{encode_base64(ROOT[1:])}\n"),
        ("root-of-33-bytes", "a long root", "base64.too-long", f"{origin}\n{size}\n{encode_base64(ROOT + b'x')}\n"),
        ("root-unpadded", "no padding", "base64.malformed", f"{origin}\n{size}\n{root[:-1]}\n"),
        ("origin-with-space", "no such signer", "note.key-name", f"a b\n{size}\n{root}\n"),
        ("origin-of-256-bytes", "a long origin", "checkpoint.origin", f"{'o' * 256}\n{size}\n{root}\n"),
    ):
        yield "checkpoint", name, _refused(why, code, **vector(f"{text}\n{line}"))
    flipped = _line(office.ORIGIN, LOG_KEY.key_id + bytes(64))
    for name, why, text in (
        ("bad-log-signature", "a known key, a bad signature", f"{TEXT}\n{flipped}"),
        ("other-size-signed", "the signature of another size", f"{TEXT.replace('1024', '1025')}\n{line}"),
        ("bad-beside-good", "one good line does not excuse a bad one", f"{TEXT}\n{line}{flipped}"),
        ("cosignature-other-time", "the time is signed", f"{TEXT}\n{line}{_cosignature(9, signed_seconds=8)}"),
        ("cosignature-without-time", "no room for the time", f"{TEXT}\n{line}{_line(WITNESS.name, WITNESS.key_id + bytes(8))}"),
        ("log-signature-as-cosignature", "a plain signature is none of a witness", f"{TEXT}\n{_line(WITNESS.name, WITNESS.key_id + bytes(72))}"),
    ):
        yield "checkpoint", name, _refused(why, "note.bad-signature", **vector(text))


def _vkeys() -> Named:
    good = LOG_KEY.encode()
    name, key_id, encoded = good.split("+", 2)
    yield "vkey", "log-key", _accepted("type 0x01", vkey=good)
    yield "vkey", "witness", _accepted("type 0x04", vkey=WITNESS.encode())
    yield ("vkey", "c2sp-example", _accepted("the example of C2SP signed-note", vkey="example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"))
    raw = bytes([ED25519]) + LOG_KEY.public
    for attack, why, code, text in (
        ("other-name", "the id binds the name", "vkey.id", f"x{good}"),
        ("other-id", "an id of zeros", "vkey.id", f"{name}+00000000+{encoded}"),
        ("upper-case-id", "one key, one text", "vkey.id", f"{name}+{key_id.upper()}+{encoded}"),
        ("other-key", "the id binds the key", "vkey.id", f"{name}+{key_id}+{encode_base64(raw[:-1] + b'x')}"),
        ("type-2", "ECDSA is not supported", "vkey.kind", f"{name}+{key_id}+{encode_base64(bytes([2]) + raw[1:])}"),
        ("type-255", "unassigned types are not", "vkey.kind", f"{name}+{key_id}+{encode_base64(bytes([255]) + raw[1:])}"),
        ("short-key", "31 bytes", "vkey.size", f"{name}+{key_id}+{encode_base64(raw[:-1])}"),
        ("long-key", "33 bytes", "vkey.size", f"{name}+{key_id}+{encode_base64(raw + b'x')}"),
        ("no-key", "nothing behind the id", "vkey.malformed", f"{name}+{key_id}+"),
        ("no-id", "two parts only", "vkey.malformed", f"{name}+{encoded.replace('+', '/')}"),
        ("no-name", "nobody", "note.key-name", f"+{key_id}+{encoded}"),
        ("space-in-name", "a space", "note.key-name", f"a b+{key_id}+{encoded}"),
        ("padding-bits", "unused bits that are not zero", "base64.malformed", good[:-2] + "l="),
    ):
        yield "vkey", attack, _refused(why, code, vkey=text)


def _entries() -> Named:
    for sequence in (0, 1, 2**40):
        salt, key = office.secret(f"salt {sequence}"), office.secret(f"record {sequence}")
        envelope_hash = office.secret(f"envelope {sequence}")
        tag = make_tag(key, sequence)
        yield (
            "entry",
            f"sequence-{sequence}",
            _accepted(
                "commitment, tag, entry, leaf and record id of known inputs",
                salt=salt.hex(),
                envelopeHash=envelope_hash.hex(),
                recordKey=key.hex(),
                sequence=sequence,
                tag=tag.hex(),
                record=make_record_id(key),
                entry=encode_entry(commit(salt, envelope_hash), tag).hex(),
                leafHash=hash_leaf(encode_entry(commit(salt, envelope_hash), tag)).hex(),
            ),
        )
    entry = encode_entry(office.secret("commitment"), office.secret("tag"))
    for name, why, data in (
        ("version-0", "a version that never was", b"\x00" + entry[1:]),
        ("version-2", "a version to come", b"\x02" + entry[1:]),
        ("short", "a byte is missing", entry[:-1]),
        ("long", "a byte too many", entry + b"\0"),
        ("empty", "nothing", b""),
        ("two-entries", "two at once", entry + entry),
        ("no-version", "commitment and tag alone", entry[1:]),
        ("hex", "text instead of bytes", entry.hex().encode()),
        ("node", "an inner node in place of an entry", b"\x01" + entry[1:33]),
    ):
        yield "entry", name, _refused(why, "entry.malformed", entry=data.hex())
    yield "record-id", "known", _accepted("of the test record", record=office.RECORD)
    body = office.RECORD[4:]
    for name, why, text in (
        ("upper-case", "one id, one text", office.RECORD.upper()),
        ("no-prefix", "rec_ is part of it", body),
        ("short", "31 characters", office.RECORD[:-1]),
        ("long", "33 characters", office.RECORD + "0"),
        ("letter-i", "Crockford has no i", "rec_i" + body[1:]),
        ("letter-u", "nor a u", "rec_u" + body[1:]),
        ("line-feed", "a line feed behind", office.RECORD[:-1] + "\n"),
        ("list", "not text", [office.RECORD]),
    ):
        yield "record-id", name, _refused(why, "record.malformed-id", record=text)

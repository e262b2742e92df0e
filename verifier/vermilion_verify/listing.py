"""A file of trusted block hashes that only grows (FORMATS section 8).

Whoever relies on such a list has it for years: lines that stand in it stay as
they are, byte for byte, and a list that would contradict itself is not written.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from vermilion_ledger.errors import InputError, UnavailableError
from vermilion_verify.blocks import BlockId, load_block_hashes, parse_block_hashes

__all__ = ["ListSection", "append_block_hashes"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ListSection:
    """Blocks that were found together, with a remark on how; it becomes a comment."""

    remark: str
    blocks: tuple[BlockId, ...]


def append_block_hashes(path: Path, sections: Sequence[ListSection]) -> tuple[BlockId, ...]:
    """Add blocks to a list, and return those that were not in it.

    The file is replaced as a whole: after a crash there is the old list or the
    new one, and the new one is on the disk when this returns. Two that write
    one list at a time wait for each other. Where every block stands in the
    list already, nothing is written.

    Raises:
        InputError: ``headers.conflict``: the list has another hash for one of
            the blocks; ``headers.malformed`` or ``headers.repeated``: it is no list.
        LimitError: ``headers.too-large``.
        UnavailableError: ``headers.unreadable``: it is no file, or cannot be
            read; ``headers.unwritable``.
    """
    path = path.resolve()  # a link stays a link
    if path.exists() and not path.is_file():
        raise UnavailableError("headers.unreadable", f"{path} is not a file")
    with _writable(path), _locked(path.parent) as folder:
        is_new = not path.exists()
        listed = {} if is_new else load_block_hashes([path])
        old = b"" if is_new else path.read_bytes()
        text = ""
        added: list[BlockId] = []
        for section in sections:
            fresh = [block for block in section.blocks if not _is_listed(block, listed)]
            if fresh:
                text += f"# {section.remark}\n"
            for block in fresh:
                text += f"{block.chain_id} {block.number} 0x{block.hash.hex()}\n"
                listed[block.chain_id, block.number] = block.hash
            added += fresh
        if not added:
            return ()
        new = old + (b"\n" if old and not old.endswith(b"\n") else b"") + text.encode()
        parse_block_hashes(new)  # what cannot be read back is never written
        _replace(path, new, folder)
    return tuple(added)


def _is_listed(block: BlockId, listed: dict[tuple[int, int], bytes]) -> bool:
    stands = listed.get((block.chain_id, block.number), block.hash)
    if stands != block.hash:
        raise InputError(
            "headers.conflict",
            f"block {block.number} of chain {block.chain_id} is 0x{stands.hex()} in the list, "
            f"0x{block.hash.hex()} for the endpoints",
        )
    return (block.chain_id, block.number) in listed


def _replace(path: Path, data: bytes, folder: int) -> None:
    """Put data in the place of a file; file and name are durable on return."""
    draft = path.with_name(f".{path.name}.new")  # ours alone: the folder is locked
    flags = os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW | os.O_CLOEXEC
    with os.fdopen(os.open(draft, flags, 0o666), "wb") as stream:
        if path.exists():
            os.fchmod(stream.fileno(), path.stat().st_mode & 0o777)
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    draft.replace(path)
    os.fsync(folder)


@contextmanager
def _locked(folder: Path) -> Iterator[int]:
    """Hold a folder against others who write a list there; yield its descriptor."""
    import fcntl  # not on every system; only whoever writes a list needs it

    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield descriptor
    finally:
        os.close(descriptor)  # and with it the lock


@contextmanager
def _writable(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as exc:
        raise UnavailableError("headers.unwritable", f"{path}: {exc.strerror}") from exc

"""Where the log's public files are kept: a folder, or an S3-compatible store.

Each driver keeps the promises of `vermilion_ledger.ports.TileStore`, which
docs/reference/tile-drivers.md states in full; `open_tile_store` chooses one.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import SplitResult, parse_qsl, unquote, urlsplit

from vermilion_ledger.errors import InputError
from vermilion_ledger.ports import TileStore
from vermilion_ledger.tilestore.disk import OsDisk
from vermilion_ledger.tilestore.posix import PosixTileStore

__all__ = ["open_tile_store"]

_OPTIONS = {"endpoint", "region", "allow_http", "credentials"}


def open_tile_store(url: str, home: Path) -> TileStore:
    """Return the driver that an address asks for; nothing is touched yet.

    Args:
        url: ``file:///absolute/folder``, ``s3://bucket/prefix`` with any of the
            options ``endpoint``, ``region``, ``allow_http=true|false`` and
            ``credentials=/path/to/file``, or nothing for ``log`` in the home folder.
        home: The home folder.

    Raises:
        InputError: ``tiles.url``: another address; ``tiles.credentials``,
            ``key.file-readable``: the named file does not do; ``tiles.not-installed``:
            the extra ``s3`` is not installed.
        NotFoundError: ``key.file-missing``.
    """
    if not url:
        return PosixTileStore(OsDisk(), home / "log")
    try:
        parts = urlsplit(url)
    except ValueError as exc:
        raise InputError("tiles.url", "the address of the tile store is not a URL") from exc
    if parts.scheme == "file":
        return _open_folder(parts)
    if parts.scheme == "s3":
        return _open_bucket(parts)
    raise InputError("tiles.url", f"no such kind of tile store here: {parts.scheme or 'none'}")


def _open_folder(parts: SplitResult) -> TileStore:
    if parts.netloc or parts.query or parts.fragment or not parts.path.strip("/"):
        raise InputError("tiles.url", "a folder is file:///absolute/path, and no more")
    return PosixTileStore(OsDisk(), Path(unquote(parts.path)))


def _open_bucket(parts: SplitResult) -> TileStore:
    if not parts.netloc or "@" in parts.netloc or ":" in parts.netloc or parts.fragment:
        raise InputError("tiles.url", "a bucket is s3://name/prefix; no secret belongs there")
    try:
        pairs = parse_qsl(parts.query, strict_parsing=True) if parts.query else []
    except ValueError as exc:
        raise InputError("tiles.url", "the options are not name=value&name=value") from exc
    options = dict(pairs)
    if len(options) < len(pairs) or options.keys() - _OPTIONS:
        raise InputError("tiles.url", f"the options are {', '.join(sorted(_OPTIONS))}, each once")
    allow_http = options.get("allow_http", "false")
    if allow_http not in {"true", "false"}:
        raise InputError("tiles.url", f"allow_http is true or false, not {allow_http[:20]!r}")
    try:
        # Here, so that a ledger in a folder needs no obstore.
        from vermilion_ledger.tilestore.s3 import open_bucket
    except ModuleNotFoundError as exc:
        raise InputError("tiles.not-installed", f"{exc.name} is not installed") from exc
    return open_bucket(
        parts.netloc,
        prefix=unquote(parts.path).strip("/"),
        endpoint=options.get("endpoint", ""),
        region=options.get("region", ""),
        allow_http=allow_http == "true",
        credentials=Path(options["credentials"]) if "credentials" in options else None,
    )

"""Public files in a bucket of an S3-compatible store, through obstore.

Create-only is a conditional PUT (``If-None-Match: *``, RFC 9110 section
13.1.2), which `S3TileStore.check` proves to be honoured before anything
depends on it. S3 answers a PUT once the object is durable, and shows it whole
or not at all. The only module that imports obstore.
"""

from __future__ import annotations

import configparser
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import obstore
from obstore.exceptions import AlreadyExistsError, BaseError
from obstore.store import ObjectStore, S3Store

from vermilion_ledger.errors import InputError, IntegrityError, NotFoundError, UnavailableError
from vermilion_ledger.private_files import read_private_file
from vermilion_ledger.tilestore.paths import CHECKPOINT, check_prefix, full_paths, parse_path

__all__ = ["S3TileStore", "open_bucket"]

_PROBE = ".probe"  # stays in the bucket: who may create need not be allowed to delete
_MESSAGE_SIZE_MAX = 300  # characters of what the store says
_TILE = {
    "Content-Type": "application/octet-stream",
    "Cache-Control": "public, max-age=31536000, immutable",
}
_NOTE = {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-cache"}

_Item = TypeVar("_Item")
_Result = TypeVar("_Result")


class S3TileStore:
    """A `TileStore` in a bucket. Safe to share between threads and processes."""

    def __init__(self, bucket: ObjectStore, *, request_count_max: int = 16) -> None:
        """Keep files in a bucket, with so many requests of one call at a time."""
        self._bucket = bucket
        self._request_count_max = request_count_max

    def put_new(self, files: Mapping[str, bytes]) -> None:
        """Create files; all are durable on return.

        Raises:
            InputError: ``tiles.path``: not the path of a tile or bundle.
            IntegrityError: ``tiles.differ``: a file exists with other bytes.
            UnavailableError: ``tiles.unreachable``: not all are durable; the same
                call may be repeated.
        """
        for path in files:
            parse_path(path)
        self._each(self._create, files.items())

    def replace(self, path: str, data: bytes) -> None:
        """Write the checkpoint, atomically and durably.

        Raises:
            InputError: ``tiles.path``: any other path.
            UnavailableError: ``tiles.unreachable``: the old or the new checkpoint
                is there, whole; the call may be repeated.
        """
        if path != CHECKPOINT:
            raise InputError("tiles.path", f"{path[:200]!r} is never replaced")
        with _translated():
            obstore.put(self._bucket, path, data, attributes=dict(_NOTE), use_multipart=False)

    def load(self, paths: Sequence[str]) -> Mapping[str, bytes]:
        """Return the files that exist, all read at once.

        Raises:
            InputError: ``tiles.path``: not the path of a public file.
            UnavailableError: ``tiles.unreachable``: the store does not answer.
        """
        for path in paths:
            if path != CHECKPOINT:
                parse_path(path)
        found = zip(paths, self._each(self._read, paths), strict=True)
        return {path: data for path, data in found if data is not None}

    def list_paths(self, prefix: str) -> Sequence[str]:
        """Return every path that starts with a prefix, sorted, strangers' files included.

        Raises:
            InputError: ``tiles.path``: the prefix leads out of the folder.
            UnavailableError: ``tiles.unreachable``: the store does not answer.
        """
        check_prefix(prefix)
        folder = prefix.rpartition("/")[0]  # the library lists by whole segments
        with _translated():
            found = [
                item["path"]
                for items in obstore.list(self._bucket, folder or None, chunk_size=1000)
                for item in items
            ]
        return sorted(path for path in found if path.startswith(prefix) and path[0] != ".")

    def remove(self, paths: Sequence[str]) -> None:
        """Remove partial tiles whose full tile exists; absent ones are fine.

        Raises:
            InputError: ``tiles.path``: a full tile, or no tile at all.
            NotFoundError: ``tiles.no-full``: the full tile is not here; nothing
                is removed.
            UnavailableError: ``tiles.unreachable``: not all are removed.
        """
        full = full_paths(paths)
        if missing := set(full) - self.load(full).keys():
            raise NotFoundError("tiles.no-full", f"{min(missing)} is not stored in full")
        self._each(self._delete, paths)

    def check(self) -> None:
        """Probe that the store is writable and creates an object once only.

        Raises:
            IntegrityError: ``tiles.create-only``: the store overwrites.
            UnavailableError: ``tiles.unreachable``: out of reach, or not writable.
        """
        with _translated():
            for data in (b"first", b"second"):
                try:
                    obstore.put(self._bucket, _PROBE, data, mode="create")
                except AlreadyExistsError:
                    return  # at the first go, another check has been here before
        raise IntegrityError("tiles.create-only", "the store overwrites an object that exists")

    def _create(self, file: tuple[str, bytes]) -> None:
        path, data = file
        with _translated():
            try:
                obstore.put(self._bucket, path, data, mode="create", attributes=dict(_TILE))
            except AlreadyExistsError:
                # Perhaps our own, whose answer was lost and which the library sent again.
                stored = obstore.get(self._bucket, path).bytes().to_bytes()
                if stored != data:
                    raise IntegrityError(
                        "tiles.differ",
                        f"{path} is stored with SHA-256 {sha256(stored).hexdigest()}, "
                        f"to be written is {sha256(data).hexdigest()}",
                    ) from None

    def _read(self, path: str) -> bytes | None:
        with _translated():
            try:
                return obstore.get(self._bucket, path).bytes().to_bytes()
            except FileNotFoundError as exc:
                if "<Code>NoSuchBucket</Code>" in str(exc):
                    raise  # nothing is known to be absent
                return None

    def _delete(self, path: str) -> None:
        with _translated():
            try:
                obstore.delete(self._bucket, path)
            except FileNotFoundError:
                return

    def _each(self, work: Callable[[_Item], _Result], items: Iterable[_Item]) -> list[_Result]:
        """Do the work for all items, some at a time; raise the first error after the last."""
        waiting = list(items)
        threads = min(self._request_count_max, len(waiting))
        if threads <= 1:
            return [work(item) for item in waiting]
        with ThreadPoolExecutor(threads, thread_name_prefix="tiles-s3") as pool:
            return list(pool.map(work, waiting))


def open_bucket(
    name: str,
    *,
    prefix: str = "",
    endpoint: str = "",
    region: str = "",
    allow_http: bool = False,
    credentials: Path | None = None,
) -> S3TileStore:
    """Return the driver for a bucket; nothing is asked of the network yet.

    Args:
        name: The bucket.
        prefix: The folder in it, for more than one log in a bucket.
        endpoint: URL of a store that is not Amazon's; buckets are named in the path.
        region: Its region; else that of the environment.
        allow_http: Speak to the endpoint without TLS, in a test or within a host.
        credentials: A file as the AWS command line writes it, of which ``[default]``
            is read; else the environment has them (``AWS_ACCESS_KEY_ID`` and so on,
            web identity, instance role).

    Raises:
        InputError: ``tiles.url``: the library refuses these values;
            ``tiles.credentials``: no key in the file; ``key.file-readable``.
        NotFoundError: ``key.file-missing``.
    """
    config = {"conditional_put": "etag"}  # If-None-Match
    if endpoint:
        config["endpoint"] = endpoint
    if region:
        config["region"] = region
    if credentials is not None:
        config |= _read_credentials(credentials)
    try:
        bucket = S3Store(
            name,
            prefix=prefix or None,
            config=config,  # type: ignore[arg-type]  # the keys are those of S3Config
            client_options={
                "allow_http": allow_http,
                "connect_timeout": timedelta(seconds=3),
                "timeout": timedelta(seconds=15),
            },
            # The publisher tries again by itself: a call must not hang for minutes.
            retry_config={"max_retries": 3, "retry_timeout": timedelta(seconds=15)},
        )
    except (BaseError, ValueError) as exc:
        raise InputError("tiles.url", _first_line(exc)) from exc
    return S3TileStore(bucket)


def _read_credentials(path: Path) -> dict[str, str]:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(read_private_file(path).decode())
        section = parser["default"]
        found = {
            "access_key_id": section["aws_access_key_id"],
            "secret_access_key": section["aws_secret_access_key"],
        }
    except (configparser.Error, KeyError, UnicodeDecodeError):
        # The error of the library would quote the file.
        raise InputError("tiles.credentials", f"{path.name} has no key under [default]") from None
    if token := section.get("aws_session_token"):
        found["token"] = token
    return found


@contextmanager
def _translated() -> Iterator[None]:
    """Turn what the library raises into our errors; it uses some of Python's own."""
    try:
        yield
    except (BaseError, OSError, ValueError) as exc:
        raise UnavailableError("tiles.unreachable", _first_line(exc)) from exc


def _first_line(exc: Exception) -> str:
    return (str(exc).splitlines() or [type(exc).__name__])[0][:_MESSAGE_SIZE_MAX]

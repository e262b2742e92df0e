"""The contract of docs/reference/tile-drivers.md, asked of every driver."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from vermilion_ledger.errors import EvidenceError, InputError, IntegrityError, NotFoundError
from vermilion_ledger.ports import TileStore
from vermilion_ledger.tilestore.paths import CHECKPOINT, entries_path, tile_path

Opener = Callable[[], TileStore]


def batch(first: int, count: int, *, mark: bytes = b"") -> dict[str, bytes]:
    """Full tiles and bundles, and the partial tile above them."""
    files = {}
    for position in range(first, first + count):
        files[tile_path(0, position)] = (mark + b"tile %d " % position).ljust(8192, b".")
        files[entries_path(position)] = (mark + b"bundle %d " % position).ljust(17152, b".")
    if (first + count) % 256:
        path = tile_path(1, (first + count) // 256, (first + count) % 256)
        files[path] = mark.ljust(32 * ((first + count) % 256), b"-")
    return files


# --- create-only


def test_what_was_put_is_there_for_another_process(open_store: Opener) -> None:
    files = batch(0, 3)

    open_store().put_new(files)

    assert open_store().load(list(files)) == files


def test_the_same_bytes_may_be_put_again(open_store: Opener) -> None:
    open_store().put_new(batch(0, 3))

    open_store().put_new(batch(0, 5) | batch(0, 3))

    assert open_store().load(list(batch(0, 5))) == batch(0, 5)


def test_other_bytes_are_refused_and_the_path_is_named(open_store: Opener) -> None:
    open_store().put_new({"tile/0/x001/067": b"first"})

    with pytest.raises(IntegrityError, match="tile/0/x001/067") as caught:
        open_store().put_new({"tile/0/x001/067": b"other"})

    assert caught.value.code == "tiles.differ"
    assert open_store().load(["tile/0/x001/067"]) == {"tile/0/x001/067": b"first"}


@pytest.mark.parametrize("stored", [b"", b"firs", b"first ", b"First"])
def test_a_single_byte_is_enough_to_differ(store: TileStore, stored: bytes) -> None:
    store.put_new({"tile/0/000": stored})

    with pytest.raises(IntegrityError):
        store.put_new({"tile/0/000": b"first"})


def test_one_file_of_a_big_batch_that_differs_is_told(store: TileStore) -> None:
    store.put_new({entries_path(7): b"other"})

    with pytest.raises(IntegrityError, match="tile/entries/007"):
        store.put_new(batch(0, 20))

    assert store.load([entries_path(7)]) == {entries_path(7): b"other"}


def test_a_partial_tile_stays_beside_its_wider_and_full_ones(store: TileStore) -> None:
    widths = {tile_path(0, 4, width): b"x" * 32 * width for width in (1, 9, 255, 256)}

    for path, data in widths.items():
        store.put_new({path: data})

    assert store.load(list(widths)) == widths


def test_a_big_batch_is_kept_whole(open_store: Opener) -> None:
    files = batch(900, 150)  # across a folder's end

    open_store().put_new(files)

    assert len(files) == 301
    assert open_store().load(list(files)) == files


def test_no_files_are_put_without_a_word(store: TileStore) -> None:
    store.put_new({})

    assert store.list_paths("") == []


# --- two writers


def race(open_store: Opener, offers: Sequence[Mapping[str, bytes]]) -> list[EvidenceError | None]:
    """Let each offer be put by a writer of its own, all at once."""
    start = threading.Barrier(len(offers))

    def write(files: Mapping[str, bytes]) -> EvidenceError | None:
        store = open_store()
        start.wait()
        try:
            store.put_new(files)
        except EvidenceError as exc:
            return exc
        return None

    with ThreadPoolExecutor(len(offers)) as pool:
        return list(pool.map(write, offers))


def test_of_writers_with_other_bytes_one_wins_and_the_others_are_told(open_store: Opener) -> None:
    for position in range(8):
        path = tile_path(0, position)
        offers = [{path: b"writer %d" % writer * 900} for writer in range(4)]

        told = race(open_store, offers)

        winners = [offer for offer, error in zip(offers, told, strict=True) if error is None]
        assert winners == [open_store().load([path])]
        assert {error.code for error in told if error} == {"tiles.differ"}


def test_writers_with_the_same_bytes_all_win(open_store: Opener) -> None:
    assert race(open_store, [batch(0, 6)] * 4) == [None] * 4
    assert open_store().load(list(batch(0, 6))) == batch(0, 6)


# --- names


@pytest.mark.parametrize(
    "path",
    ["", CHECKPOINT, "../out", "/tile/0/000", "tile/0/../../../out", ".tmp/x", ".probe", "tile/0/0",
     "tile/64/000", "tile/0/000.p/0", "tile/0/000.p/256", "tile/0/000/", "tile/data/000"],
)  # fmt: skip
def test_a_name_that_no_tile_has_is_refused_and_nothing_is_put(store: TileStore, path: str) -> None:
    with pytest.raises(InputError) as caught:
        store.put_new({tile_path(0, 0): b"good", path: b"bad", tile_path(0, 1): b"good"})

    assert caught.value.code == "tiles.path"
    assert store.list_paths("") == []


@pytest.mark.parametrize(
    "path", ["../log/checkpoint", "/etc/passwd", "tile/0/1", "checkpoint/", ""]
)
def test_a_name_that_no_public_file_has_is_not_read(store: TileStore, path: str) -> None:
    with pytest.raises(InputError):
        store.load([CHECKPOINT, path])


# --- the checkpoint


def test_the_checkpoint_is_replaced(open_store: Opener) -> None:
    for note in (b"one\n", b"a longer one\n", b"2\n"):
        open_store().replace(CHECKPOINT, note)

        assert open_store().load([CHECKPOINT]) == {CHECKPOINT: note}


@pytest.mark.parametrize("path", ["tile/0/000", "tile/0/000.p/1", "../checkpoint", "checkpoint2"])
def test_nothing_but_the_checkpoint_is_replaced(store: TileStore, path: str) -> None:
    with pytest.raises(InputError):
        store.replace(path, b"new")

    assert store.list_paths("") == []


def test_whoever_reads_sees_the_old_or_the_new_checkpoint(open_store: Opener) -> None:
    notes = [b"%d\n" % number * 2000 for number in range(24)]
    open_store().replace(CHECKPOINT, notes[0])
    done = threading.Event()

    def read() -> set[bytes]:
        store, seen = open_store(), set()
        while not done.is_set():
            seen |= set(store.load([CHECKPOINT]).values())
        return seen

    with ThreadPoolExecutor(2) as pool:
        readers = [pool.submit(read) for _ in range(2)]
        writer = open_store()
        for note in notes:
            writer.replace(CHECKPOINT, note)
        done.set()

    assert all(reader.result() and reader.result() <= set(notes) for reader in readers)


# --- reading


def test_absent_files_are_left_out(store: TileStore) -> None:
    store.put_new({tile_path(0, 1): b"here"})

    assert store.load([CHECKPOINT, tile_path(0, 0), tile_path(0, 1), tile_path(0, 1, 4)]) == {
        tile_path(0, 1): b"here"
    }
    assert store.load([]) == {}


def test_paths_are_listed_by_prefix_and_sorted(store: TileStore) -> None:
    files = batch(998, 4)
    store.check()  # leaves nothing that is listed
    store.put_new(files)
    store.replace(CHECKPOINT, b"note")

    everything = sorted([*files, CHECKPOINT])
    for prefix in ("", "tile/", "tile/0", "tile/0/x", "tile/entries/", "tile/1/003.p/", "check"):
        wanted = [path for path in everything if path.startswith(prefix)]
        assert list(store.list_paths(prefix)) == wanted
    assert list(store.list_paths("tile/0/x001/")) == ["tile/0/x001/000", "tile/0/x001/001"]
    assert list(store.list_paths("tile/9/")) == []


def test_more_than_one_page_is_listed(store: TileStore) -> None:
    files = {tile_path(0, position): b"x" for position in range(1100)}
    store.put_new(files)

    assert list(store.list_paths("tile/0/")) == sorted(files)


@pytest.mark.parametrize("prefix", ["..", "../", "/", "tile/../../", ".tmp/"])
def test_a_prefix_that_leads_elsewhere_is_refused(store: TileStore, prefix: str) -> None:
    with pytest.raises(InputError):
        store.list_paths(prefix)


# --- removing


def test_a_partial_tile_goes_once_its_full_tile_is_there(store: TileStore) -> None:
    partials = {tile_path(0, 1, width): b"x" * width for width in (3, 200)}
    store.put_new(partials | {tile_path(0, 1): b"full"})

    store.remove([*partials, tile_path(0, 1, 77)])  # the last was never there
    store.remove(list(partials))

    assert list(store.list_paths("tile/")) == [tile_path(0, 1)]


def test_a_partial_tile_stays_while_its_full_tile_is_missing(store: TileStore) -> None:
    files = {tile_path(0, 1, 3): b"a", tile_path(0, 2, 3): b"b", tile_path(0, 2): b"full"}
    store.put_new(files)

    with pytest.raises(NotFoundError, match="tile/0/001") as caught:
        store.remove([tile_path(0, 2, 3), tile_path(0, 1, 3)])

    assert caught.value.code == "tiles.no-full"
    assert list(store.list_paths("tile/")) == sorted(files)


@pytest.mark.parametrize("path", [tile_path(0, 1), entries_path(1), CHECKPOINT, "../x", "tile/0"])
def test_nothing_but_a_partial_tile_is_removed(store: TileStore, path: str) -> None:
    files = {tile_path(0, 1): b"full", entries_path(1): b"full"}
    store.put_new(files)
    store.replace(CHECKPOINT, b"note")

    with pytest.raises(InputError):
        store.remove([path])

    assert list(store.list_paths("")) == sorted([*files, CHECKPOINT])


def test_a_removed_partial_tile_may_be_written_again(store: TileStore) -> None:
    store.put_new({tile_path(0, 1, 3): b"a", tile_path(0, 1): b"full"})
    store.remove([tile_path(0, 1, 3)])

    store.put_new({tile_path(0, 1, 3): b"a"})

    assert store.load([tile_path(0, 1, 3)]) == {tile_path(0, 1, 3): b"a"}


# --- the start


def test_a_good_store_passes_the_check_each_time(open_store: Opener) -> None:
    for _ in range(3):
        open_store().check()

    assert open_store().list_paths("") == []


def test_the_check_leaves_the_log_as_it_is(open_store: Opener) -> None:
    open_store().put_new(batch(0, 3))

    open_store().check()

    assert open_store().load(list(batch(0, 3))) == batch(0, 3)

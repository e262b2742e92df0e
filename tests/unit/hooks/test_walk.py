"""The walk: one order, no links, no devices, and errors in their place."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from pathlib import Path

import pytest

from archive_kit import open_folder, without_privileges
from vermilion_hooks.walk import Failed, Found, Skipped, find_roots, measure, walk


def _make(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(name.encode())


def _told(*paths: Path, follow: bool = False) -> list[tuple[str, str]]:
    """Each thing met: its name, and what became of it."""
    told = []
    for item in walk(find_roots(map(str, paths)), follow=follow):
        word = "found"
        if isinstance(item, Skipped):
            word = item.code
        elif isinstance(item, Failed):
            word = item.error.code
        told.append((item.path.rpartition("/")[2], word))
    return told


def test_files_come_in_the_byte_order_of_their_paths(tmp_path: Path) -> None:
    names = ["b", "a/z", "a-b", "a.txt", "a/b/c", "a0", "é", "中", "z/a", "Z", "a/b.c"]
    _make(tmp_path, *names)

    paths = [item.path for item in walk(find_roots([str(tmp_path)]))]

    assert paths == [str(tmp_path / name) for name in sorted(names, key=str.encode)]
    assert paths == [item.path for item in walk(find_roots([str(tmp_path)]))]


def test_overlapping_roots_are_walked_once(tmp_path: Path) -> None:
    _make(tmp_path, "a/b", "ab")
    roots = [tmp_path / "a" / "b", tmp_path / "a", tmp_path, tmp_path / "a" / "..", tmp_path]

    assert _told(*roots) == [("b", "found"), ("ab", "found")]


def test_a_root_beside_another_with_the_same_beginning_is_kept(tmp_path: Path) -> None:
    _make(tmp_path, "a/x", "ab/y")

    assert _told(tmp_path / "a", tmp_path / "ab") == [("x", "found"), ("y", "found")]


def test_links_inside_a_folder_are_skipped(tmp_path: Path) -> None:
    _make(tmp_path, "archive/file", "outside/secret")
    (tmp_path / "archive" / "to-file").symlink_to(tmp_path / "outside" / "secret")
    (tmp_path / "archive" / "to-folder").symlink_to(tmp_path / "outside")
    (tmp_path / "archive" / "up").symlink_to("..")

    assert _told(tmp_path / "archive") == [
        ("file", "found"),
        ("to-file", "walk.symlink"),
        ("to-folder", "walk.symlink"),
        ("up", "walk.symlink"),
    ]


def test_a_link_given_by_name_is_refused(tmp_path: Path) -> None:
    _make(tmp_path, "file")
    (tmp_path / "link").symlink_to("file")

    assert _told(tmp_path / "link") == [("link", "file.symlink")]


def test_links_on_the_way_are_resolved_as_the_system_does(tmp_path: Path) -> None:
    _make(tmp_path, "deep/er/file", "file")
    (tmp_path / "link").symlink_to("deep/er")

    roots = find_roots([f"{tmp_path}/link/file", f"{tmp_path}/link/../er/file"])

    assert roots == (f"{tmp_path}/deep/er/file",)


def test_followed_links_are_found_under_their_own_names(tmp_path: Path) -> None:
    _make(tmp_path, "archive/file", "outside/other")
    (tmp_path / "archive" / "link").symlink_to("file")
    (tmp_path / "archive" / "more").symlink_to("../outside")

    assert _told(tmp_path / "archive", follow=True) == [
        ("file", "found"),
        ("link", "found"),
        ("other", "found"),
    ]


def test_a_loop_through_a_folder_is_refused(tmp_path: Path) -> None:
    _make(tmp_path, "a/b/file")
    (tmp_path / "a" / "b" / "back").symlink_to(tmp_path / "a")

    assert _told(tmp_path / "a", follow=True) == [("back", "walk.loop"), ("file", "found")]


def test_a_link_to_itself_is_refused(tmp_path: Path) -> None:
    _make(tmp_path, "file")
    (tmp_path / "self").symlink_to("self")

    assert _told(tmp_path, follow=True) == [("file", "found"), ("self", "walk.loop")]


def test_links_that_multiply_are_entered_once(tmp_path: Path) -> None:
    for level in range(30):
        (tmp_path / f"{level:02}").mkdir()
        for side in "lr":
            (tmp_path / f"{level:02}" / side).symlink_to(f"../{level + 1:02}")
    _make(tmp_path, "30/file")

    told = _told(tmp_path / "00", follow=True)

    assert told.count(("file", "found")) == 1
    assert len(told) == 31


def test_a_dangling_link_is_refused_when_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("nothing")

    assert _told(tmp_path, follow=True) == [("link", "file.vanished")]


def test_pipes_sockets_and_devices_are_refused(tmp_path: Path) -> None:
    _make(tmp_path, "file")
    os.mkfifo(tmp_path / "pipe")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(os.path.relpath(tmp_path / "socket"))
        told = _told(tmp_path, Path("/dev/null"))

    assert sorted(told) == [
        ("file", "found"),
        ("null", "file.not-regular"),
        ("pipe", "file.not-regular"),
        ("socket", "file.not-regular"),
    ]


def test_a_root_that_is_not_there_is_refused(tmp_path: Path) -> None:
    _make(tmp_path, "b")

    assert _told(tmp_path / "a", tmp_path / "b") == [("a", "file.vanished"), ("b", "found")]


def test_a_folder_that_vanishes_is_told_and_the_rest_goes_on(tmp_path: Path) -> None:
    _make(tmp_path, "a/1", "b/2", "b/c/3", "d/4")
    items = walk(find_roots([str(tmp_path)]))

    first = next(items)
    shutil.rmtree(tmp_path / "b")
    rest = list(items)

    assert first.path.endswith("a/1")
    assert [type(item) for item in rest] == [Failed, Found]
    assert rest[0].path == str(tmp_path / "b")
    assert isinstance(rest[0], Failed)
    assert rest[0].error.code == "walk.vanished"


def test_a_folder_that_vanishes_between_look_and_listing_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _make(tmp_path, "a/1", "b/2")
    scan = os.scandir

    def vanish(path: str | int) -> object:
        if path == str(tmp_path / "a"):
            shutil.rmtree(path)
        return scan(path)

    monkeypatch.setattr(os, "scandir", vanish)

    assert _told(tmp_path) == [("a", "walk.vanished"), ("2", "found")]


def test_an_unreadable_folder_is_told_and_the_rest_goes_on() -> None:
    with open_folder() as folder:
        _make(folder, "a/1", "b/2")
        (folder / "a").chmod(0)

        with without_privileges():
            told = _told(folder)

        assert told == [("a", "walk.unreadable"), ("2", "found")]


def test_a_folder_without_the_right_to_enter_refuses_each_file() -> None:
    with open_folder() as folder:
        _make(folder, "a/1", "b/2")
        (folder / "a").chmod(0o444)

        with without_privileges():
            told = _told(folder)

        assert told == [("1", "file.unreadable"), ("2", "found")]


def test_a_deep_folder_does_not_exhaust_the_stack(tmp_path: Path) -> None:
    place = os.open(tmp_path, os.O_RDONLY)
    try:
        for _ in range(1500):
            os.mkdir("d", dir_fd=place)
            place, above = os.open("d", os.O_RDONLY, dir_fd=place), place
            os.close(above)
    finally:
        os.close(place)
    _make(tmp_path / "d" / "d", "file")

    told = _told(tmp_path)

    subprocess.run(["rm", "-r", tmp_path / "d"], check=True)  # too deep for pytest
    assert told == [("file", "found")]


def test_undecodable_names_are_met(tmp_path: Path) -> None:
    (tmp_path / os.fsdecode(b"\xff\xfe")).write_bytes(b"x")

    assert _told(tmp_path) == [("\udcff\udcfe", "found")]


def test_measuring_counts_what_a_walk_finds(tmp_path: Path) -> None:
    _make(tmp_path, "one", "three/3")
    (tmp_path / "link").symlink_to("one")

    assert measure(find_roots([str(tmp_path)])) == (2, 3 + 7)

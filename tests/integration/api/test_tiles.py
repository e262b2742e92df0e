"""The log as monitors read it: what may be kept for ever, what may not, what is not there."""

from __future__ import annotations

import hashlib

import httpx
import pytest

from served import Served, sha256
from vermilion_ledger.checkpoint import parse_checkpoint_unverified
from vermilion_ledger.merkle import hash_leaf, verify_inclusion
from vermilion_ledger.tiles import tile_root

FOR_EVER = "public, max-age=31536000, immutable"


@pytest.fixture(scope="module")
def size(served: Served) -> int:
    """A published size with two full tiles and a partial one."""
    records = [{"name": f"{n}", "digest": {"sha256": sha256(f"tile {n}")}} for n in range(530)]
    answer = served.api.post("/v1/records/bulk", {"records": records})
    found: int = answer["checkpoint"]["size"]
    assert found % 256
    return found


def get(served: Served, path: str, **headers: str) -> httpx.Response:
    return served.client.get(path, headers=headers)


def test_a_full_tile_is_for_ever(served: Served, size: int) -> None:
    for path, length in (("/log/tile/0/000", 32 * 256), ("/log/tile/entries/000", 67 * 256)):
        answer = get(served, path)

        assert answer.status_code == 200
        assert len(answer.content) == length
        assert answer.headers["cache-control"] == FOR_EVER
        assert answer.headers["content-type"] == "application/octet-stream"
        assert answer.headers["etag"].startswith('"')


def test_a_partial_tile_is_for_ever_under_its_width(served: Served, size: int) -> None:
    position, width = divmod(size, 256)

    for kind, unit in (("0", 32), ("entries", 67)):
        answer = get(served, f"/log/tile/{kind}/{position:03}.p/{width}")

        assert len(answer.content) == unit * width
        assert answer.headers["cache-control"] == FOR_EVER


@pytest.mark.parametrize(("kind", "unit"), [("0", 32), ("entries", 67)])
@pytest.mark.parametrize("width", [1, 7, 255])
def test_a_partial_tile_stays_when_the_tile_is_full(
    served: Served, size: int, kind: str, unit: int, width: int
) -> None:
    full = get(served, f"/log/tile/{kind}/000").content

    assert get(served, f"/log/tile/{kind}/000.p/{width}").content == full[: unit * width]


def test_a_tile_holds_the_root_of_the_tile_below(served: Served, size: int) -> None:
    below = get(served, "/log/tile/0/000").content

    assert get(served, f"/log/tile/1/000.p/{size // 256}").content[:32] == tile_root(below)


@pytest.mark.parametrize("path", ["/log/tile/0/000", "/log/tile/entries/000", "/log/checkpoint"])
def test_what_is_known_is_not_sent_again(served: Served, size: int, path: str) -> None:
    first = get(served, path)
    tag = first.headers["etag"]

    for known in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = get(served, path, **{"If-None-Match": known})
        assert (answer.status_code, answer.content) == (304, b"")
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"] == first.headers["cache-control"]


@pytest.mark.parametrize("known", ['"other"', "", "etag", '"' + "0" * 32 + '"'])
def test_what_is_not_known_is_sent(served: Served, size: int, known: str) -> None:
    answer = get(served, "/log/tile/0/000", **{"If-None-Match": known})

    assert (answer.status_code, len(answer.content)) == (200, 8192)


def test_the_tag_of_a_tile_is_that_of_its_bytes(served: Served, size: int) -> None:
    tags = {
        get(served, path).headers["etag"]
        for path in ("/log/tile/0/000", "/log/tile/0/001", "/log/tile/0/000.p/9")
    }

    assert len(tags) == 3
    first = get(served, "/log/tile/0/000")
    assert first.headers["etag"].strip('"') in hashlib.sha256(first.content).hexdigest()


@pytest.mark.parametrize("path", ["/log/tile/0/000", "/log/tile/entries/001", "/log/checkpoint"])
def test_a_head_says_what_a_get_would_and_sends_nothing(
    served: Served, size: int, path: str
) -> None:
    head, full = served.client.head(path), served.client.get(path)

    assert (head.status_code, head.content) == (200, b"")
    for name in ("content-length", "content-type", "etag", "cache-control"):
        assert head.headers[name] == full.headers[name]


def test_the_checkpoint_is_asked_for_anew_each_time(served: Served, size: int) -> None:
    first = get(served, "/log/checkpoint")
    assert first.headers["cache-control"] == "no-cache"
    served.register("one more")

    answer = get(served, "/log/checkpoint", **{"If-None-Match": first.headers["etag"]})

    assert answer.status_code == 200
    sizes = [parse_checkpoint_unverified(each.content).checkpoint.size for each in (first, answer)]
    assert sizes[0] < sizes[1]


@pytest.mark.parametrize(
    "path",
    [
        "0/999",  # not published yet
        "0/002",  # full only later
        "0/000.p/256",  # a full tile has no width
        "0/000.p/0",
        "0/000.p/01",
        "0/000.p/",
        "0/000.p/1/",
        "0/00",
        "0/0000",
        "0/000/000",  # the x is missing
        "0/x000/000",  # not canonical
        "0/X001/000",
        "00/000",
        "6/000",
        "63/000",
        "64/000",
        "-1/000",
        "entries/",
        "entries/999",
        "entries/000.p/257",
        "entries/x999/x999/x999/x999/x999/x999/999",
        "data/000",
        "0/000%00",
        "0/٠٠٠",
    ],
)
def test_what_is_not_there_may_be_asked_for_again_soon(
    served: Served, size: int, path: str
) -> None:
    answer = get(served, f"/log/tile/{path}")

    assert (answer.status_code, answer.json()["code"]) == (404, "log.no-tile")
    assert answer.headers["cache-control"] == "public, max-age=1"
    assert "etag" not in answer.headers


def test_a_tile_that_was_not_there_is_there_once_it_is_published(served: Served, size: int) -> None:
    size = served.api.get("/v1/log")["tree"]["size"]
    position, width = divmod(size, 256)
    path = f"/log/tile/0/{position:03}.p/{width + 1}"
    assert get(served, path).status_code == 404

    served.register("the missing one")

    assert get(served, path).status_code == 200


@pytest.mark.parametrize("count", [1, 300])
def test_a_proof_leads_from_the_served_entry_to_the_answered_checkpoint(
    served: Served, size: int, count: int
) -> None:
    records = [{"name": f"{n}", "digest": {"sha256": sha256(f"{count} {n}")}} for n in range(count)]

    answer = served.api.post("/v1/records/bulk", {"records": records}, {"proofs": "true"})

    root = bytes.fromhex(answer["checkpoint"]["root"])
    for item in answer["records"][:: max(1, count // 3)]:
        position, offset = divmod(item["index"], 256)
        bundle = get(served, f"/log/tile/entries/{position:03}.p/{offset + 1}")
        if bundle.status_code == 404:  # the last of a full tile
            bundle = get(served, f"/log/tile/entries/{position:03}")
        leaf = hash_leaf(bundle.content[67 * offset + 2 : 67 * offset + 67])
        proof = [bytes.fromhex(each) for each in item["proof"]]
        verify_inclusion(leaf, item["index"], answer["checkpoint"]["size"], proof, root)


def test_without_a_checkpoint_there_is_no_proof(served: Served) -> None:
    body = {"name": "a", "digest": {"sha256": sha256("a")}}

    answer = served.client.post("/v1/records?wait=sequenced&proofs=true", json=body)

    assert (answer.status_code, answer.json()["code"]) == (400, "request.wait")


def test_nobody_gets_a_proof_unasked(served: Served) -> None:
    assert "proof" not in served.register("unasked")

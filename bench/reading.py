"""Reading over HTTP: tiles for monitors, records for people; one core each way."""

from __future__ import annotations

import random
from collections.abc import Sequence
from functools import partial

import httpx
from load import LoadResult
from measure import Figure, at_least, folder, scaled, take_turns
from serving import SERVER_CORE, make_home, median, put_load, running, vermilion

__all__ = ["run"]

CLIENTS = 64
SECONDS = 3.0
BULKS, BULK = 20, 1_000
RECORDS = 500  # asked for in turn
TILE_RATE_MIN, RECORD_RATE_MIN = 3_000, 1_500


def run(*, scale: float = 1.0) -> list[Figure]:
    """Measure and return the figures."""
    seconds, bulks = max(0.5, SECONDS * scale), scaled(BULKS, scale)
    with folder() as home:
        port = make_home(home)
        with running(vermilion("serve", "--home", home), port, core=SERVER_CORE) as server:
            records = _register(server.url, bulks)
            tiles = [f"/log/tile/0/{position:03}" for position in range(bulks * BULK // 256)]
            chosen = random.Random(6962).choices(records, k=RECORDS)  # noqa: S311 - no secret
            paths = {
                "tiles": tiles,
                "bundles": [path.replace("/0/", "/entries/") for path in tiles],
                "checkpoint": ["/log/checkpoint"],
                "records": [f"/v1/records/{record}" for record in chosen],
            }
            taken = take_turns(
                {name: partial(_read, server.port, asked, seconds) for name, asked in paths.items()}
            )
    rates = {name: median(results, "rate") for name, results in taken.items()}
    return [
        at_least("GET /log/tile/0/…, full tiles", rates["tiles"], "per second", TILE_RATE_MIN),
        Figure(what="GET /log/tile/entries/…", value=rates["bundles"], unit="per second"),
        Figure(what="GET /log/checkpoint", value=rates["checkpoint"], unit="per second"),
        at_least("GET /v1/records/{record}", rates["records"], "per second", RECORD_RATE_MIN),
    ]


def _read(port: int, paths: Sequence[str], seconds: float) -> LoadResult:
    return put_load(port, "get", *paths, connections=CLIENTS, seconds=seconds)


def _register(url: str, bulks: int) -> list[str]:
    """Register documents and wait until they are published; return their records."""
    records: list[str] = []
    with httpx.Client(base_url=url, timeout=120) as client:
        for bulk in range(bulks):
            body = {
                "records": [
                    {
                        "name": f"document-{number}.pdf",
                        "digest": {"sha256": f"{bulk * BULK + number:064x}"},
                    }
                    for number in range(BULK)
                ]
            }
            wait = "published" if bulk + 1 == bulks else "sequenced"
            answer = client.post(f"/v1/records/bulk?wait={wait}&timeout=60", json=body)
            answer.raise_for_status()
            records += [item["record"] for item in answer.json()["records"]]
    return records

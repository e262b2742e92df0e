"""Work secrets are handed out to those alone who have just proved who they are."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from served import Served, serving, sha256
from vermilion_ledger.grades import neutral_name

HEADER = "X-Stepped-Up"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """A ledger behind a gateway that says so in a header."""
    with serving(tmp_path_factory.mktemp("gateway"), step_up_header=HEADER) as found:
        yield found


def recorded(served: Served, name: str, grade: str) -> str:
    neutral = neutral_name(bytes.fromhex(sha256(name)))
    body = {"name": neutral, "digest": {"sha256": sha256(name)}, "grade": grade}
    return str(served.api.post("/v1/records", body)["record"])


def ask(served: Served, record: str, **headers: str) -> httpx.Response:
    return served.client.get(
        f"/v1/records/{record}/bundle",
        headers={name.replace("_", "-"): value for name, value in headers.items()},
    )


def events(served: Served, record: str) -> list[str]:
    found = served.client.get(f"/v1/records/{record}", headers={HEADER: "1"}).json()
    return [each["event"] for each in found["entries"]]


@pytest.mark.parametrize("headers", [{}, {"X_Stepped_Up": ""}, {"Authorization": "Bearer x"}])
def test_nothing_is_given_without_the_word_of_the_gateway(
    served: Served, headers: dict[str, str]
) -> None:
    record = recorded(served, f"kept in {headers}", "工作秘密")

    answer = ask(served, record, **headers)

    assert (answer.status_code, answer.json()["code"]) == (403, "grade.step-up")
    assert events(served, record) == ["register"]  # nothing was handed out


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/v1/records/{record}", None),
        ("GET", "/v1/records/{record}?x=1", None),  # past the door
        ("POST", "/v1/verify", {"digest": "sha256:{digest}"}),
    ],
)
def test_nor_is_told_who_decided_what(
    served: Served, method: str, path: str, body: dict[str, str] | None
) -> None:
    name = f"untold {path}"
    record = recorded(served, name, "商业秘密")
    asked = body and {key: value.format(digest=sha256(name)) for key, value in body.items()}

    def ask(**headers: str) -> httpx.Response:
        url = path.format(record=record)
        return served.client.request(method, url, json=asked, headers=headers)

    assert ask().json()["code"] == "grade.step-up"
    assert ask(**{HEADER: "1"}).status_code == 200


def test_what_does_not_exist_is_not_found_with_or_without(served: Served) -> None:
    assert served.client.get("/v1/records/rec_" + 32 * "0").status_code == 404


def test_with_its_word_the_bundle_is_given_entered_and_counted(served: Served) -> None:
    record = recorded(served, "given", "工作秘密")

    assert ask(served, record, X_Stepped_Up="1").status_code == 200

    assert events(served, record) == ["register", "access"]
    assert "vermilion_views_total 1.0" in served.client.get("/metrics").text


def test_what_is_no_work_secret_is_given_to_everybody(served: Served) -> None:
    record = recorded(served, "internal", "内部")

    assert ask(served, record).status_code == 200
    assert events(served, record) == ["register"]

"""Passkeys in a real browser: made on the page, approving on it, and what the page refuses.

What lies is the network between page and ledger: an answer is changed on its way
by the browser's own protocol. The page and the ledger are those that people get.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from browser_kit import Browser
from loopback import serving as serving_bytes
from loopback import speak
from passkey_kit import (
    ASK_UNVERIFIED,
    Holder,
    address_of,
    changing,
    events_of,
    make_part,
    register,
)
from served import Served, sha256
from vermilion_ledger.encoding import encode_base64, parse_base64


@pytest.fixture(scope="module")
def holder(served: Served, browser: Browser) -> Iterator[Holder]:
    url = address_of(served)
    with browser.page() as page:
        device = page.add_device()
        register(served, make_part(page, url, "u-1029"))
        yield Holder(page, device, url)


@pytest.fixture
def honest(holder: Holder) -> Iterator[Holder]:
    """The holder, whatever a test before did to network and device."""
    yield holder
    if holder.page.change is not None:
        holder.page.call("Fetch.disable")
        holder.page.change = None
    holder.page.verify_user(holder.device, verified=True)


def test_a_passkey_made_on_the_page_approves_on_it(served: Served, honest: Holder) -> None:
    record = served.register("budget")["record"]

    honest.read(record, step="issue")
    honest.sign()

    assert honest.outcome().startswith("good: ")
    entry = served.api.get(f"/v1/records/{record}")["entries"][-1]
    assert entry["event"] == "approve"
    size = {"size": str(served.api.get("/v1/log")["tree"]["size"])}
    bundle = json.loads(served.api.fetch(f"/v1/records/{record}/bundle", size))
    asked = {"digest": f"sha256:{sha256('budget')}", "bundle": bundle}
    report = served.api.post("/v1/verify", asked)
    checks = {check["id"]: check["status"] for check in report["checks"]}
    assert checks["signature.actor"] == checks["key.validity"] == "pass"
    assert report["approvals"][0]["step"] == "issue"
    assert report["approvals"][0]["actor"]["name"] == "王芳"


def test_the_page_shows_what_stands_in_the_bytes_that_get_signed(
    served: Served, honest: Holder
) -> None:
    record = served.register("letter")["record"]
    honest.read(record, decision="rejected")
    honest.page.wait("!document.querySelector('#shown').hidden")

    shown = honest.page.run(
        "Object.fromEntries([...document.querySelectorAll('dd')]"
        ".map((each) => [each.dataset.field, each.textContent]))"
    )
    bare = json.loads(honest.page.run("document.querySelector('#exact').textContent"))

    predicate = bare["predicate"]
    assert shown["document"] == bare["subject"][0]["name"] == "letter.pdf"
    assert shown["digest"] == bare["subject"][0]["digest"]["sha256"] == sha256("letter")
    assert (shown["step"], shown["decision"]) == ("sign-off", "rejected")
    assert shown["actor"] == "王芳 · 主任 · 财务处 · u-1029"
    assert shown["record"] == predicate["record"] == record
    assert predicate["seen"]["hash"] in shown["block"]
    assert predicate["prior"]["envelope"] in shown["prior"]


# --- what is refused


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("decision", lambda s: s["predicate"]["detail"].update(decision="rejected")),
        ("step", lambda s: s["predicate"]["detail"].update(step="payment")),
        ("more", lambda s: s["predicate"]["detail"].update(amount="1,000,000")),
        ("event", lambda s: s["predicate"].update(event="countersign")),
        ("record", lambda s: s["predicate"].update(record="rec_" + "0" * 32)),
        ("actor", lambda s: s["predicate"]["actor"].update(post="局长")),
        ("kind", lambda s: s.update(predicateType="urn:vermilion:key-event:v1")),
        ("no block", lambda s: s["predicate"].pop("seen")),
        ("no prior", lambda s: s["predicate"].pop("prior")),
        ("two documents", lambda s: s["subject"].append(s["subject"][0])),
        ("a member", lambda s: s["predicate"].update(also="this")),
    ],
)
def test_the_page_refuses_a_statement_that_is_not_what_was_asked(
    served: Served, honest: Holder, name: str, change: Callable[[dict[str, Any]], None]
) -> None:
    record = served.register(f"lied about {name}")["record"]
    honest.page.lie(changing(change))

    honest.read(record)

    assert "Nothing was signed" in honest.outcome()
    assert honest.page.run("document.querySelector('#shown').hidden")
    assert events_of(served, record) == 1


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"decision":"approved"', b'"decision":"approved","decision":"approved"'),
        (b'{"_type"', b'{ "_type"'),
        (b'"predicate":{', b'"predicate":{"zzz":1,'),
        (b"}", b"}\n"),
    ],
)
def test_the_page_refuses_bytes_that_can_be_read_in_two_ways(
    served: Served, honest: Holder, old: bytes, new: bytes
) -> None:
    def lie(url: str, body: bytes) -> bytes:
        if not url.endswith("/statements"):
            return body
        answer = json.loads(body)
        payload = parse_base64(answer["payload"], size_max=2**15, what="payload")
        assert old in payload
        changed = new.join(payload.rsplit(old, 1))
        return json.dumps(answer | {"payload": encode_base64(changed)}).encode()

    record = served.register(f"odd bytes {new!r}")["record"]
    honest.page.lie(lie)

    honest.read(record)

    assert "Nothing was signed" in honest.outcome()
    assert events_of(served, record) == 1


def test_what_the_ledger_says_beside_the_bytes_is_not_shown(served: Served, honest: Holder) -> None:
    def lie(url: str, body: bytes) -> bytes:
        if not url.endswith("/statements"):
            return body
        answer = json.loads(body)
        answer["statement"]["subject"][0]["name"] = "harmless.pdf"
        return json.dumps(answer | {"pae": encode_base64(b"another message")}).encode()

    record = served.register("beside")["record"]
    honest.page.lie(lie)
    honest.read(record)
    honest.page.wait("!document.querySelector('#shown').hidden")

    assert "beside.pdf" in honest.page.text("#fields")
    assert "harmless" not in honest.page.text("main")
    honest.sign()
    assert honest.outcome().startswith("good: ")


def test_after_reading_no_answer_of_the_ledger_changes_what_is_signed(
    served: Served, honest: Holder
) -> None:
    record = served.register("read once")["record"]
    honest.read(record)
    honest.page.wait("!document.querySelector('#shown').hidden")
    read = honest.page.run("document.querySelector('#exact').dataset.payload")
    sent = len(honest.page.requests)
    honest.page.lie(changing(lambda s: s["predicate"]["detail"].update(decision="rejected")))

    honest.sign()

    assert honest.outcome().startswith("good: ")
    asked = [url.rpartition("/")[2] for url in honest.page.requests[sent:]]
    assert asked == ["events"]
    bundle = json.loads(
        served.api.fetch(
            f"/v1/records/{record}/bundle",
            {"size": str(served.api.get("/v1/log")["tree"]["size"])},
        )
    )
    assert bundle["entries"][-1]["envelope"]["payload"] == read


def test_changing_a_field_takes_back_what_was_read(served: Served, honest: Holder) -> None:
    record = served.register("second thoughts")["record"]
    honest.read(record)
    honest.page.wait("!document.querySelector('#shown').hidden")

    honest.page.fill("#decision", "rejected")

    assert honest.page.run("document.querySelector('#shown').hidden")


def test_a_user_whom_the_device_did_not_verify_signs_nothing(
    served: Served, honest: Holder
) -> None:
    record = served.register("unverified")["record"]
    honest.page.verify_user(honest.device, verified=False)
    honest.read(record)
    honest.sign()

    assert honest.outcome().startswith("bad: The device did not sign")
    assert events_of(served, record) == 1


def test_the_ledger_refuses_an_assertion_without_user_verification(
    served: Served, honest: Holder
) -> None:
    """As a page of somebody else's might ask for it, which says that it need not be."""
    record = served.register("discouraged")["record"]
    honest.read(record)
    honest.page.wait("!document.querySelector('#shown').hidden")
    honest.page.verify_user(honest.device, verified=False)

    answer = honest.page.run(ASK_UNVERIFIED)

    assert answer["code"] == "webauthn.user-unverified"
    assert events_of(served, record) == 1


def test_a_page_of_another_origin_gets_no_passkey_of_this_one(
    served: Served, honest: Holder
) -> None:
    """The same ledger under another name: its page knows no key, and its browser has none."""
    record = served.register("elsewhere")["record"]
    url = honest.url.replace("localhost", "other.localhost")
    honest.page.go(f"{url}/approve/{record}")
    honest.page.wait("document.body.dataset.ready")

    assert "No passkey of this site is registered" in honest.page.text("#notice")
    assert honest.page.run("document.querySelector('#prepare').disabled")
    told = honest.page.run(
        "navigator.credentials.get({publicKey: {challenge: new Uint8Array(32),"
        " rpId: 'localhost', userVerification: 'required'}}).then(() => 'signed', (e) => e.name)"
    )
    assert told == "SecurityError"


def test_a_passkey_used_under_another_origin_of_its_domain_is_refused(
    served: Served, browser: Browser
) -> None:
    """Another port is another origin with the same rpId: the browser signs, the ledger refuses."""
    record = served.register("other port")["record"]
    with browser.page() as page, serving_bytes(lambda h, _: speak(h, b"<!doctype html>")) as other:
        page.add_device()
        register(served, make_part(page, address_of(served), "u-2"))
        keyid = served.api.get("/v1/keys")["keys"][-1]["keyid"]
        draft = {
            "event": "approve",
            "detail": {"step": "sign-off", "decision": "approved"},
            "keyids": [keyid],
        }
        prepared = served.api.post(f"/v1/records/{record}/statements", draft)
        page.go(other.replace("127.0.0.1", "localhost"))
        found = page.run(
            "(async () => { const from = (text) => Uint8Array.from(atob(text), (c) =>"
            " c.charCodeAt(0)); const to = (buffer) => btoa(String.fromCharCode(...new"
            " Uint8Array(buffer))); const challenge = await crypto.subtle.digest('SHA-256',"
            f" from('{prepared['pae']}')); const made = await navigator.credentials.get("
            "{publicKey: {challenge, rpId: 'localhost', userVerification: 'required'}});"
            " const r = made.response; return {sig: to(r.signature), authenticatorData:"
            " to(r.authenticatorData), clientDataJSON: to(r.clientDataJSON)}; })()"
        )
    signature = {"keyid": keyid, "scheme": "webauthn-es256", **found}
    body = {
        "payload": prepared["payload"],
        "payloadType": prepared["payloadType"],
        "signatures": [signature],
    }

    answer = served.client.post(f"/v1/records/{record}/events", json=body).json()

    assert answer["code"] == "webauthn.origin"


def test_another_passkey_than_the_registered_one_sends_nothing(
    served: Served, browser: Browser
) -> None:
    record = served.register("other passkey")["record"]
    url = address_of(served)
    with browser.page() as page:
        device = page.add_device()
        register(served, make_part(page, url, "u-3"))
        keyid = served.api.get("/v1/keys")["keys"][-1]["keyid"]
        page.call("WebAuthn.clearCredentials", authenticatorId=device)
        make_part(page, url, "u-4")  # never registered, and now the only one on the device
        someone = Holder(page, device, url)
        someone.read(record, who=keyid)
        someone.sign()

        assert "Another passkey signed" in someone.outcome()
    assert events_of(served, record) == 1


def test_a_file_that_is_another_document_stops_the_hand(
    served: Served, honest: Holder, tmp_path: Path
) -> None:
    record = served.register("the true text")["record"]
    true, false = tmp_path / "true.pdf", tmp_path / "false.pdf"
    true.write_bytes(b"the true text")
    false.write_bytes(b"the false text")
    honest.read(record)
    honest.page.wait("!document.querySelector('#shown').hidden")

    honest.page.choose_file("#file", false)
    honest.page.wait("document.querySelector('#match').className === 'bad'")
    assert honest.page.run("document.querySelector('#sign').disabled")

    honest.page.choose_file("#file", true)
    honest.page.wait("document.querySelector('#match').className === 'good'")
    assert not honest.page.run("document.querySelector('#sign').disabled")

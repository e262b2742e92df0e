"""The pages themselves: both languages, nothing from elsewhere, nothing to complain of."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from browser_kit import Browser
from passkey_kit import address_of
from served import Served

PAGES = ("/approve", "/enrol", "/approve/rec_" + "0" * 32)
_TABLE = re.compile(r"^  (\w+): both\(", re.MULTILINE)


@pytest.mark.parametrize("path", PAGES)
@pytest.mark.parametrize(
    ("language", "heading", "other"),
    [("en", "passkey|Approve", "[一-龥]"), ("zh-CN,zh;q=0.9", "通行密钥|审批", "[A-Za-z]{9,}")],
)
def test_a_page_is_whole_in_both_languages(
    served: Served, browser: Browser, path: str, language: str, heading: str, other: str
) -> None:
    url = address_of(served)
    with browser.page(language=language) as page:
        page.go(url + path)
        page.wait("document.body.dataset.ready")

        assert re.search(heading, page.text("h1"))
        assert not re.search(other, page.text("form"))
        assert page.complaints == []
        assert {each.split("/")[2] for each in page.requests} == {url.split("/")[2]}
        unnamed = page.run(
            "[...document.querySelectorAll('input,select,textarea')]"
            ".filter((each) => each.labels.length === 0).map((each) => each.id)"
        )
        assert unnamed == []
        assert page.run("document.cookie") == ""
        page.click("nav [aria-pressed=false]")
        assert not re.search(heading, page.text("h1"))


def test_a_script_from_elsewhere_or_within_the_page_does_not_run(
    served: Served, browser: Browser
) -> None:
    url = address_of(served)
    with browser.page() as page:
        page.go(f"{url}/approve")
        page.wait("document.body.dataset.ready")
        page.run(
            "try { const script = document.createElement('script'); script.textContent ="
            " 'window.ran = 1'; document.body.append(script); } catch { 0 }"
        )

        assert page.run("window.ran === undefined")
        blocked = page.run("fetch('http://127.0.0.1:9/').then(() => 'sent', () => 'blocked')")
        assert blocked == "blocked"
        assert any("Content Security Policy" in each for each in page.complaints)


@pytest.mark.parametrize("path", ["/page/page.css", "/page/approve.js", "/approve", "/enrol"])
def test_each_answer_is_fenced_in(served: Served, path: str) -> None:
    answer = served.client.get(path)

    assert answer.status_code == 200
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    "path",
    [
        "/page/none.js",
        "/page/approve.html",
        "/page/..%2f__init__.py",
        "/page/__init__.py",
        "/approve/rec_x",
        "/approve/keys/more",
    ],
)
def test_nothing_else_of_the_package_is_served(served: Served, path: str) -> None:
    assert served.client.get(path).status_code == 404


def test_every_sentence_that_a_script_asks_for_exists(repository: Path) -> None:
    folder = repository / "api" / "vermilion_api" / "page"
    known = set(_TABLE.findall((folder / "texts.js").read_text()))
    scripts = "".join(path.read_text() for path in folder.glob("*.js"))
    asked = set(re.findall(r'(?:\bsay\(|RefusedError\()"(\w+)"', scripts))

    assert asked <= known

"""The site in a real browser: navigation, search, phone, dark, console, requests, accessibility."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

PHONE = (390, 844)
PAGES = ("", "install/", "tutorials/graph/", "tutorials/dataset/", "how-to/view/", "compare/", "reference/cli/", "reference/api/", "slides/", "rewards/", "paths/")


class Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture(scope="module")
def address(site: Path) -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(site)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/"
    server.shutdown()


def assert_quiet(browser: Any, address: str) -> None:
    assert browser.errors() == []
    assert [u for u in browser.requests() if not u.startswith((address, "data:", "about:", "blob:"))] == []


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize(("size", "dark"), [((1440, 900), False), (PHONE, True)], ids=["desktop-light", "phone-dark"])
def test_pages_are_quiet_and_fit(browser: Any, address: str, page: str, size: tuple[int, int], dark: bool) -> None:
    browser.open(address + page, size=size, dark=dark)
    browser.until("document.querySelector('h1') !== null && document.readyState === 'complete'")
    assert browser.js("return document.body.dataset.mdColorScheme") == ("slate" if dark else "default")
    # nothing sticks out sideways
    assert browser.js("return document.documentElement.scrollWidth") <= size[0] + 1
    browser.screenshot(f"site-{(page or 'index').strip('/').replace('/', '-')}-{'phone' if size == PHONE else 'desktop'}")
    assert_quiet(browser, address)


LONG = ("reference/api/", "reference/cli/")
"""Axe needs half a minute for each of these: they are read in one colour scheme only."""


@pytest.mark.parametrize(("page", "dark"), [(p, d) for p in PAGES for d in (False, True) if not (d and p in LONG)])
def test_axe_finds_nothing_serious(browser: Any, address: str, axe_script: Path, page: str, dark: bool) -> None:
    browser.open(address + page, dark=dark)
    browser.until("document.querySelector('h1') !== null && document.readyState === 'complete'")
    assert browser.js("return document.body.dataset.mdColorScheme") == ("slate" if dark else "default")
    assert browser.axe(axe_script) == []


def test_the_picture_is_shown_with_words(browser: Any, address: str) -> None:
    browser.open(address)
    browser.until("document.querySelector('.overview img').complete")
    assert browser.js("return document.querySelector('.overview img').naturalWidth") > 0
    assert len(browser.find(".overview img").get_attribute("alt")) > 60


def test_navigation_by_click(browser: Any, address: str) -> None:
    browser.open(address)
    browser.js("arguments[0].click()", browser.driver.find_element("partial link text", "five minutes"))
    browser.until("location.pathname.endsWith('/tutorials/graph/')")
    browser.js("arguments[0].click()", browser.driver.find_element("partial link text", "link a report"))
    browser.until("document.querySelector('h1').textContent.startsWith('Link a report')")
    assert_quiet(browser, address)


def test_search_by_keyboard(browser: Any, address: str) -> None:
    browser.open(address)
    browser.until("document.readyState === 'complete'")
    browser.keys("/")
    browser.focused_keys("feature bag")
    browser.until("document.querySelectorAll('.md-search-result__item').length > 0")
    links = browser.js("return [...document.querySelectorAll('.md-search-result__link')].map(a => a.href)")
    assert any("slides" in link for link in links), links
    browser.screenshot("site-search")
    assert_quiet(browser, address)


def test_navigation_on_a_phone(browser: Any, address: str) -> None:
    browser.open(address, size=PHONE)
    browser.until("document.readyState === 'complete'")
    browser.click("label.md-header__button[for=__drawer]")
    browser.until("getComputedStyle(document.querySelector('.md-sidebar--primary')).transform !== 'none'"
                  " || document.querySelector('#__drawer').checked")
    assert "Tutorials" in browser.find(".md-sidebar--primary").text
    assert_quiet(browser, address)

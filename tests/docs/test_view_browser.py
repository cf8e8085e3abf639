"""The viewer and the explorer in a real browser, on a dataset made here and on 5,000 cases."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import pathkg
from pathkg.view import write_page
from pathkg.view.explore import explorer_server

EXAMPLES = Path(pathkg.__file__).parent / "data" / "examples" / "cases.jsonl"
READY = "document.documentElement.dataset.ready"


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two example cases as a finished run, one sample spoiled so that every verdict occurs, and a rejection."""
    import datagen

    out = tmp_path_factory.mktemp("view") / "dataset"
    datagen.run(cases=EXAMPLES, out=out, limit=2)
    rows = [json.loads(line) for line in (out / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    spoiled = dict(rows[0], sample_id="spoiled-1")
    text = spoiled["text"].replace(" no ", " ").replace("not seen", "seen")
    wrong = pathkg.verify(text.replace("</observe>", "Signet ring cells are present.</observe>"), report=spoiled["report"])
    assert wrong.verdict != "supported"
    spoiled["certificate_json"] = json.dumps(wrong.to_dict())
    with (out / "samples.jsonl").open("a", encoding="utf-8") as handle:
        handle.write(json.dumps(spoiled) + "\n")
    with (out / "rejected.jsonl").open("a", encoding="utf-8") as handle:
        handle.write(json.dumps({"case_id": "R1", "stage": "plan", "reason": "no_diagnosis", "detail": "no <b>diagnosis</b>"}) + "\n")
    return out


@pytest.fixture(scope="module")
def page(dataset: Path) -> str:
    target = dataset.parent / "view.html"
    write_page(dataset, target, graph=pathkg.load())
    return target.as_uri()


def quiet(browser: Any, address: str) -> None:
    assert browser.errors() == []
    outside = [u for u in browser.requests() if not u.startswith((address.split("#")[0], "data:", "about:", "blob:"))]
    assert outside == []


def choose(browser: Any, select: str, starts: str) -> None:
    browser.js("const s = document.getElementById(arguments[0]);"
               "s.value = [...s.options].find(o => o.text.startsWith(arguments[1])).value; s.dispatchEvent(new Event('change'))",
               select, starts)


@pytest.mark.parametrize(("size", "dark", "name"), [((1440, 900), False, "desktop"), ((390, 844), False, "phone"),
                                                    ((1440, 900), True, "dark")])
def test_the_page_opens_quietly_and_fits(browser: Any, page: str, size: tuple[int, int], dark: bool, name: str) -> None:
    browser.open(page, size=size, dark=dark)
    browser.until(READY)
    assert browser.js("return document.querySelectorAll('.report mark').length") > 5
    assert browser.js("return document.querySelectorAll('article.part').length") > 3
    assert browser.js("return document.documentElement.scrollWidth") <= size[0] + 1
    browser.screenshot(f"view-{name}")
    quiet(browser, page)


def test_filters(browser: Any, page: str) -> None:
    browser.open(page)
    browser.until(READY)
    total = browser.find("#count").text
    choose(browser, "verdict", "rejected")
    assert browser.find("#count").text.startswith("1 of")
    browser.until("document.querySelector('main').innerText.includes('no <b>diagnosis</b>')")
    choose(browser, "verdict", "all")
    choose(browser, "reason", "unsupported" if "unsupported" in browser.find("#reason").text else "contradicted")
    assert browser.js("return document.querySelectorAll('#list .row').length") >= 1
    browser.until("document.querySelector('main .badge').textContent !== 'supported'")
    choose(browser, "reason", "all")
    choose(browser, "organ", "breast")
    assert "of" in browser.find("#count").text
    choose(browser, "organ", "all")
    browser.find("#search").send_keys("lung")
    rows = browser.js("return [...document.querySelectorAll('#list .row')].map(r => r.textContent)")
    assert rows
    assert all("lung" in row.lower() for row in rows)
    browser.find("#search").clear()
    browser.js("document.getElementById('search').dispatchEvent(new Event('input'))")
    assert browser.find("#count").text == total
    browser.find("#search").send_keys("nothing has this")
    assert "No case passes" in browser.find("main").text
    quiet(browser, page)


def test_click_to_evidence(browser: Any, page: str) -> None:
    browser.open(page)
    browser.until(READY)
    browser.js("document.querySelector('article details').open = true;"
               "[...document.querySelectorAll('.facts button')].find(b => b.textContent.startsWith('report')).click()")
    words = browser.js("return [...document.querySelectorAll('.report .shown')].map(e => e.textContent).join('')")
    pressed = browser.js("return document.querySelector('.facts button[aria-pressed=true]').textContent")
    assert words
    assert words in pressed
    browser.js("[...document.querySelectorAll('.facts button')].find(b => b.textContent.startsWith('graph')).click()")
    assert browser.js("return document.querySelectorAll('.report .shown').length") == 0
    assert browser.js("return document.querySelectorAll('#drawing canvas').length") > 0
    browser.screenshot("view-evidence")
    quiet(browser, page)


def test_keyboard_path(browser: Any, page: str) -> None:
    browser.open(page)
    browser.until(READY)
    first = browser.find("main h2").text, browser.js("return location.hash")
    browser.keys("j")
    browser.until("document.querySelector('#list [aria-selected=true]').id === 'row-1'")
    browser.until(f"location.hash !== {json.dumps(first[1])}")
    browser.keys("k")
    browser.until("document.querySelector('#list [aria-selected=true]').id === 'row-0'")
    browser.until(f"location.hash === {json.dumps(first[1])}")
    browser.keys("n")
    browser.until("document.activeElement.getAttribute('aria-pressed') === 'true'")
    browser.focused_keys("n")
    browser.until("document.querySelectorAll('.facts button[aria-pressed=true]').length === 1")
    browser.keys("/")
    assert browser.js("return document.activeElement.id") == "search"
    browser.focused_keys("\ue00c")  # Escape
    browser.keys("?")
    browser.until("document.getElementById('help').open")
    browser.focused_keys("\ue00c")
    browser.until("!document.getElementById('help').open")
    browser.keys("\ue010", "#list")  # End
    browser.until("document.querySelector('#list [aria-selected=true]').textContent.includes('R1')")
    assert browser.find("#list").get_attribute("aria-activedescendant").startswith("row-")
    quiet(browser, page)


def test_a_link_to_a_case_opens_it(browser: Any, page: str) -> None:
    browser.open(page + "#spoiled-1")
    browser.until(READY)
    assert browser.find("#list [aria-selected=true]").text.endswith("breast") or "spoiled-1" in browser.find("main").text


def test_an_address_typed_later_opens_its_case_whatever_the_filters_hide(browser: Any, page: str) -> None:
    browser.open(page)
    browser.until(READY)
    choose(browser, "verdict", "rejected")
    browser.js("location.hash = 'spoiled-1'")
    browser.until("document.querySelector('main .badge').textContent !== 'rejected'")
    assert "spoiled-1" in browser.find("main").text
    assert browser.find("#verdict").get_attribute("value") == ""  # all
    browser.js("location.hash = 'no-such-case%'")
    assert "spoiled-1" in browser.find("main").text
    quiet(browser, page)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_axe_finds_nothing_serious_in_the_viewer(browser: Any, page: str, axe_script: Path, dark: bool) -> None:
    browser.open(page, dark=dark)
    browser.until(READY)
    browser.js("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    assert browser.axe(axe_script) == []


def test_report_text_is_never_markup(browser: Any, tmp_path: Path) -> None:
    report = "Keratin pearls <img src=x onerror=\"document.title='broken'\"></script><script>document.title='broken'</script> 𝒳 are present."
    (tmp_path / "t.txt").write_text("<observe>Keratin pearls.</observe><think>1. Keratin pearls support squamous cell carcinoma."
                                    "</think><answer>Squamous cell carcinoma.</answer>", encoding="utf-8")
    write_page(tmp_path / "t.txt", tmp_path / "t.html", graph=pathkg.load(), report=report, title="</title><script>document.title='broken'</script>")
    browser.open((tmp_path / "t.html").as_uri())
    browser.until(READY)
    assert "broken" not in browser.driver.title.replace("document.title='broken'", "")
    assert "<img src=x" in browser.find(".report").text
    quiet(browser, (tmp_path / "t.html").as_uri())


@pytest.fixture(scope="module")
def big(dataset: Path) -> Path:
    """5,000 cases, each with its own id and report."""
    rows = [json.loads(line) for line in (dataset / "samples.jsonl").read_text(encoding="utf-8").splitlines()]
    target = dataset.parent / "big.jsonl"
    with target.open("w", encoding="utf-8") as handle:
        for number in range(5000):
            row = dict(rows[number % len(rows)], sample_id=f"case-{number:05d}")
            row["report"] = f"{row['report']} Case {number}."
            handle.write(json.dumps(row) + "\n")
    write_page(target, target.with_suffix(".html"), graph=pathkg.load())
    return target.with_suffix(".html")


def test_five_thousand_cases_stay_smooth(browser: Any, big: Path) -> None:
    assert big.stat().st_size < 25e6
    start = time.perf_counter()
    browser.open(big.as_uri())
    browser.until(READY)
    ready = time.perf_counter() - start
    assert ready < 20
    assert browser.find("#count").text == "5,000 cases"
    assert browser.js("return document.querySelectorAll('#list .row').length") < 60, "only the rows in sight exist"
    # the longest task while the list scrolls through all of it
    slowest = browser.driver.execute_async_script("""
        const done = arguments[arguments.length - 1], list = document.getElementById('list');
        let step = 0, slow = 0;
        function next() {
          const start = performance.now();
          list.scrollTop = step * 6400;
          list.dispatchEvent(new Event('scroll'));
          requestAnimationFrame(() => { slow = Math.max(slow, performance.now() - start);
            if (++step < 50) next(); else done(slow); });
        }
        next();""")
    assert slowest < 400  # a busy CI machine; the printed figure says how it is in quiet
    took = browser.driver.execute_async_script("""
        const done = arguments[arguments.length - 1], box = document.getElementById('search');
        const start = performance.now();
        box.value = 'case-04999';
        box.dispatchEvent(new Event('input'));
        const wait = () => document.querySelector('main').innerText.includes('Case 4999.') ? done(performance.now() - start) : setTimeout(wait, 5);
        wait();""")
    assert took < 3000
    opened = browser.driver.execute_async_script("""
        const done = arguments[arguments.length - 1], box = document.getElementById('search');
        box.value = ''; box.dispatchEvent(new Event('input'));
        let slow = 0, step = 0;
        function next() {
          const start = performance.now(), number = step * 240;
          location.hash = 'case-' + String(number).padStart(5, '0');
          const wait = () => { if (!document.querySelector('main').innerText.includes(`Case ${number}.`)) return setTimeout(wait, 2);
            slow = Math.max(slow, performance.now() - start);
            if (++step < 20) next(); else done(slow); };
          wait();
        }
        next();""")
    assert opened < 3000
    # shown by pytest -s; the page about the viewer quotes it
    print(f"\n5,000 cases, {big.stat().st_size / 1e6:.1f} MB: ready in {ready:.1f} s, slowest frame of 50 while scrolling "
          f"{slowest:.0f} ms, search to case {took:.0f} ms, slowest of 20 cases opened {opened:.0f} ms")
    quiet(browser, big.as_uri())


@pytest.fixture(scope="module")
def explorer() -> Iterator[str]:
    server = explorer_server(pathkg.load())
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/explore"
    server.shutdown()


@pytest.mark.parametrize(("size", "name"), [((1440, 900), "desktop"), ((390, 844), "phone")])
def test_explorer_search_expand_and_path(browser: Any, explorer: str, size: tuple[int, int], name: str) -> None:
    browser.open(explorer, size=size)
    browser.until(READY)
    browser.find("#search").send_keys("keratin pearl")
    browser.until("document.querySelectorAll('#results button').length > 0")
    browser.find("#search").send_keys("\ue007")
    browser.until("document.querySelector('#right h2') && document.querySelector('#right h2').textContent === 'keratin pearl'")
    browser.until("pathkgDrawing.nodes().length > 5")
    browser.screenshot(f"explore-{name}")
    browser.js("[...document.querySelectorAll('#right button')].find(b => b.textContent === 'start here').click();"
               "document.getElementById('search').value = 'lung squamous cell carcinoma';"
               "document.getElementById('form').requestSubmit()")
    browser.until("document.querySelector('#right h2').textContent === 'lung squamous cell carcinoma'")
    browser.js("[...document.querySelectorAll('#right button')].find(b => b.textContent === 'end here').click();"
               "document.getElementById('find').click()")
    browser.until("document.querySelectorAll('#paths li').length > 0")
    assert "supports" in browser.find("#paths").text
    assert browser.js("return document.documentElement.scrollWidth") <= size[0] + 1
    browser.screenshot(f"explore-path-{name}")
    quiet(browser, explorer)


def test_a_click_on_a_drawn_node_chooses_and_expands_it(browser: Any, explorer: str) -> None:
    browser.open(explorer + "#PATHKG:keratin-pearl")
    browser.until("document.querySelector('#right h2') && document.querySelector('#right h2').textContent === 'keratin pearl'")
    browser.until("pathkgDrawing.nodes().length > 5")
    before = browser.js("return pathkgDrawing.nodes().length")
    # a real mouse on the canvas, at the place of the first neighbour
    place = browser.until("""(() => { const box = document.getElementById('drawing').getBoundingClientRect();
        if (pathkgDrawing.animated() || pathkgDrawing.nodes().some(n => n.animated())) return null;
        const node = pathkgDrawing.nodes().filter(n => n.data('curie') !== 'PATHKG:keratin-pearl')[0], at = node.renderedPosition();
        return {name: node.data('label'), x: box.x + at.x, y: box.y + at.y}; })()""")
    for kind in ("mouseMoved", "mousePressed", "mouseReleased"):
        browser.driver.execute_cdp_cmd("Input.dispatchMouseEvent", {
            "type": kind, "x": place["x"], "y": place["y"], "button": "none" if kind == "mouseMoved" else "left", "clickCount": 1})
    browser.until("document.querySelector('#right h2').textContent !== 'keratin pearl'")
    assert browser.find("#right h2").text.split() == place["name"].split()
    browser.until(f"pathkgDrawing.nodes().length > {before}")
    quiet(browser, explorer)


def test_explorer_filters_and_lists_for_those_who_do_not_see_the_drawing(browser: Any, explorer: str) -> None:
    browser.open(explorer + "#MONDO:0005005")
    browser.until("document.querySelectorAll('#right ul.plain button').length > 3")
    browser.until("pathkgDrawing.nodes().length > 3")
    before = browser.js("return pathkgDrawing.nodes().length")
    browser.js("[...document.querySelectorAll('#right button')].find(b => b.textContent.includes('stains positive for')).click()")
    browser.until("document.querySelectorAll('#members button').length > 0")
    assert browser.js("return pathkgDrawing.nodes().length") >= before
    quiet(browser, explorer)


def test_axe_finds_nothing_serious_in_the_explorer(browser: Any, explorer: str, axe_script: Path) -> None:
    browser.open(explorer + "#MONDO:0005005")
    browser.until("document.querySelectorAll('#right ul.plain button').length > 3")
    assert browser.axe(axe_script) == []


def test_explorer_answers_only_this_machine(explorer: str) -> None:
    from http.client import HTTPConnection
    from urllib.parse import urlsplit

    place = urlsplit(explorer)
    connection = HTTPConnection(place.hostname or "", place.port)
    connection.request("GET", "/explore/search?q=keratin", headers={"Host": "evil.example"})
    assert connection.getresponse().status == 403

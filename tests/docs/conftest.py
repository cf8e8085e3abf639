"""The built site, and a real browser (Chromium, headless). Tests skip, with the reason, where one is missing."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
DESKTOP, PHONE = (1440, 900), (390, 844)


class Browser:
    """A Selenium driver that remembers what a page asked for and complained about."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, url: str, *, size: tuple[int, int] = DESKTOP, dark: bool = False) -> None:
        self.driver.get("about:blank")
        self.driver.get_log("browser")
        self.driver.get_log("performance")
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": size[0], "height": size[1], "deviceScaleFactor": 1, "mobile": size[0] < 600})
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce"}]})
        self.driver.get(url)

    def until(self, script: str, *, seconds: float = 20) -> Any:
        """Wait until a JavaScript expression is true, and return it."""
        from selenium.webdriver.support.ui import WebDriverWait

        return WebDriverWait(self.driver, seconds, poll_frequency=0.1).until(lambda d: d.execute_script(f"return {script}"))

    def js(self, script: str, *arguments: Any) -> Any:
        return self.driver.execute_script(script, *arguments)

    def click(self, css: str) -> None:
        self.js("arguments[0].scrollIntoView({block:'center'}); arguments[0].click()", self.find(css))

    def find(self, css: str) -> Any:
        return self.driver.find_element("css selector", css)

    def keys(self, text: str, css: str = "body") -> None:
        self.find(css).send_keys(text)

    def focused_keys(self, text: str) -> None:
        self.driver.switch_to.active_element.send_keys(text)

    def errors(self) -> list[str]:
        """Console errors and warnings since the page was opened."""
        return [e["message"] for e in self.driver.get_log("browser") if e["level"] in ("SEVERE", "WARNING")]

    def requests(self) -> list[str]:
        """URLs that the page asked for since it was opened."""
        found = []
        for entry in self.driver.get_log("performance"):
            message = json.loads(entry["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.append(message["params"]["request"]["url"])
        return found

    def screenshot(self, name: str) -> None:
        """Keep a picture when ``PATHKG_SCREENSHOTS`` names a folder for people to look at."""
        folder = os.environ.get("PATHKG_SCREENSHOTS")
        if folder:
            Path(folder).mkdir(parents=True, exist_ok=True)
            self.driver.save_screenshot(str(Path(folder) / f"{name}.png"))

    def axe(self, script: Path) -> list[str]:
        """Serious and critical findings of axe-core on the page as it is."""
        self.js(script.read_text(encoding="utf-8"))
        result = self.driver.execute_async_script(
            "const done = arguments[arguments.length - 1];"
            "axe.run(document, {resultTypes: ['violations']}).then(r => done(r.violations), e => done(String(e)))")
        assert isinstance(result, list), result
        return [f"{v['id']}: {v['help']} ({v['nodes'][0]['html'][:160]})" for v in result
                if v["impact"] in ("serious", "critical")]


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    webdriver = pytest.importorskip("selenium.webdriver")
    from selenium.common.exceptions import WebDriverException

    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    chromedriver = shutil.which("chromedriver")
    if not chromium or not chromedriver:
        pytest.skip("no Chromium with chromedriver on this machine (Debian: chromium, chromium-driver)")
    options = webdriver.ChromeOptions()
    options.binary_location = chromium
    for flag in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--force-color-profile=srgb",
                 "--disable-background-networking", "--disable-component-update", "--no-first-run"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    try:
        driver = webdriver.Chrome(service=webdriver.ChromeService(chromedriver), options=options)
    except WebDriverException as error:
        pytest.skip(f"Chromium does not start here: {str(error).splitlines()[0]}")
    driver.set_page_load_timeout(120)
    driver.set_script_timeout(120)
    yield Browser(driver)
    driver.quit()


@pytest.fixture(scope="session")
def axe_script() -> Path:
    """axe-core from npm: ``npm pack axe-core``, unpack, and name its file in ``PATHKG_AXE``."""
    path = os.environ.get("PATHKG_AXE")
    if not path or not Path(path).is_file():
        pytest.skip("axe-core is not here (npm pack axe-core; PATHKG_AXE=…/axe.min.js)")
    return Path(path)


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The built site; ``PATHKG_SITE`` names one that was just built (as CI does), so that it is not built again."""
    built = os.environ.get("PATHKG_SITE")
    if built:
        assert (Path(built) / "index.html").is_file(), f"PATHKG_SITE={built} holds no site"
        return Path(built)
    pytest.importorskip("mkdocs")
    pytest.importorskip("material")
    pytest.importorskip("mkdocstrings")
    out = tmp_path_factory.mktemp("site")
    # an unusable proxy: a build that fetched anything would fail
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1", "http_proxy": "http://127.0.0.1:9", "https_proxy": "http://127.0.0.1:9", "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "-d", str(out)], cwd=ROOT,
                          env=environment, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    return out

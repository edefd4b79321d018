"""A browser that opens the explorer from disk, and tells what went wrong and what was asked for."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CHROMIUM, DRIVER = (shutil.which(name) for name in ("chromium", "chromedriver"))


class Browser:
    """Headless Chromium, driven by selenium."""

    def __init__(self, driver: Any) -> None:
        self.driver = driver

    def open(self, site: Path, address: str) -> None:
        """Open a page from disk afresh, and wait for what it shows."""
        self.driver.get("about:blank")
        self.driver.get(f"{(site / 'index.html').as_uri()}{address}")
        self.wait(
            "return document.querySelector('.content > *, [role=alert]') && !document.querySelector('[aria-busy]')"
        )

    def run(self, script: str) -> Any:
        """What a script returns."""
        return self.driver.execute_script(script)

    def wait(self, script: str) -> None:
        """Wait until a script returns something true."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 60, 0.05).until(lambda _: self.run(script))

    def find(self, selector: str) -> Any:
        """The first element of a CSS selector."""
        return self.driver.find_element("css selector", selector)

    def text(self, selector: str) -> str:
        """What an element shows."""
        return self.find(selector).text

    def move(self, selector: str, value: float) -> None:
        """Move a slider to a value, as by hand."""
        script = "const [slider, value] = arguments; slider.value = value; slider.dispatchEvent(new Event('input'))"
        self.driver.execute_script(script, self.find(selector), value)

    def faults(self) -> list[str]:
        """Errors of the console since the last call."""
        return [entry["message"] for entry in self.driver.get_log("browser") if entry["level"] == "SEVERE"]

    def requests(self) -> list[str]:
        """Addresses that were asked for since the last call, in their order."""
        events = [json.loads(entry["message"])["message"] for entry in self.driver.get_log("performance")]
        sent = [event["params"] for event in events if event["method"] == "Network.requestWillBeSent"]
        return [event["request"]["url"] for event in sent]


@pytest.fixture(scope="session")
def browser(tmp_path_factory) -> Iterator[Browser]:
    if CHROMIUM is None or DRIVER is None:
        pytest.skip("no chromium with its driver on this machine: apt-get install chromium chromium-driver")
    webdriver = pytest.importorskip(
        "selenium.webdriver", reason="selenium is not installed: pip install 'iebench[dev]'"
    )
    options = webdriver.ChromeOptions()
    options.binary_location = CHROMIUM
    for word in (
        "--headless=new",
        "--no-sandbox",
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--window-size=1200,900",
    ):
        options.add_argument(word)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(executable_path=DRIVER))
    yield Browser(driver)
    driver.quit()

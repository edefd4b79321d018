"""The explorer with 50 000 views: its size, and the time to first picture in Chromium, against a plain page of as many files.

Prints one JSON line: seconds of processor time to write the site, its megabytes and files, and the milliseconds from opening a
page until its first view is drawn, medians over the rounds, opened from disk in a new browser, and the megabytes loaded until the
file of that view was there. The plain page has each thumbnail in a file of its own and shows them with `<img loading="lazy">`.
Beside them the time until a run's map of all views is drawn.

    python benchmarks/explore.py [--objects 1000] [--views 50] [--rounds 5] [--folder DIR]
"""

import json
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import numpy as np
import simplejpeg
import torch
from loader import IMAGES, draw_image, write_data
from selenium import webdriver
from torch import Tensor

from iebench.dataset.reader import Dataset
from iebench.evals.model import Model
from iebench.explore.runs import ExploredRun
from iebench.explore.selection import select_objects
from iebench.explore.sheets import plan_sheets
from iebench.explore.writing import write_site
from iebench.loader.decode import decode_view

SHARDS = 10
LOGGED = ("requestWillBeSent", "dataReceived", "loadingFinished")
# Milliseconds since the navigation at which the page's first picture can be drawn; null before.
FIRST_PICTURE = """const [told] = arguments;
const first = document.querySelector(".picture, img");
if (!first) return told(null);
const address = first.src || getComputedStyle(first).backgroundImage.slice(5, -2);
const image = new Image();
image.onload = () => image.decode().then(() => told(performance.now()));
image.onerror = () => told(null);
image.src = address;"""
FIRST_MAP = """const [told] = arguments;
const canvas = document.querySelector(".scatter");
if (!document.querySelector(".entry")) return told(null);
requestAnimationFrame(() => requestAnimationFrame(() => {
  const drawn = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height).data.some(value => value);
  told(drawn ? performance.now() : null);
}));"""


def write_plain_page(dataset: Dataset, side: int, root: Path) -> None:
    """One page with an image for every view, and a file for every image."""
    root.mkdir()
    lines = []
    for index in range(dataset.num_objects):
        for view in range(dataset.num_views):
            image = decode_view(dataset, index, view, side)
            (root / f"{index}-{view}.jpg").write_bytes(simplejpeg.encode_jpeg(image, 85, colorsubsampling="420"))
            lines.append(f'<img loading="lazy" src="{index}-{view}.jpg" width="{side}" height="{side}">')
    (root / "index.html").write_text("<!DOCTYPE html>\n" + "\n".join(lines))


def shrink(images: Tensor) -> Tensor:
    """A network that costs nothing: 8 x 8 pixels."""
    return torch.nn.functional.adaptive_avg_pool2d(images.float() / 255, 8).flatten(1)


@contextmanager
def open_browser() -> Iterator[Any]:
    """A new headless Chromium."""
    options = webdriver.ChromeOptions()
    options.binary_location = shutil.which("chromium") or ""
    options.page_load_strategy = "none"
    options.set_capability("goog:loggingPrefs", {"performance": "ALL"})
    for word in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"):
        options.add_argument(word)
    driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(shutil.which("chromedriver")))
    try:
        yield driver
    finally:
        driver.quit()


def time_page(address: str, script: str) -> tuple[float, float]:
    """Milliseconds from opening a page in a new browser until a script tells a number, and megabytes for the first picture."""
    with open_browser() as driver:
        driver.set_script_timeout(60)
        driver.get(address)
        until = time.monotonic() + 60
        while time.monotonic() < until:
            if (found := driver.execute_async_script(script)) is not None:
                return float(found), count_megabytes(driver)
            time.sleep(0.01)
    raise TimeoutError(f"{address} shows nothing")


def count_megabytes(driver: Any) -> float:
    """What a page loaded until the file of its first picture was there, by the browser's log; 0 without pictures."""
    events = [json.loads(entry["message"])["message"] for entry in driver.get_log("performance")]
    asked, received, loaded = (
        [one["params"] for one in events if one["method"] == f"Network.{name}"] for name in LOGGED
    )
    pictures = {one["requestId"] for one in asked if one["request"]["url"].endswith(".jpg")}
    there = min((one["timestamp"] for one in loaded if one["requestId"] in pictures), default=0.0)
    return sum(one["dataLength"] for one in received if one["timestamp"] <= there) / 1e6


def measure_folder(root: Path) -> dict[str, float]:
    """Megabytes and files of a folder."""
    sizes = [path.stat().st_size for path in root.rglob("*") if path.is_file()]
    return {"megabytes": round(sum(sizes) / 1e6, 1), "files": len(sizes)}


@click.command()
@click.option("--objects", default=1000, show_default=True, help="Objects of the dataset.")
@click.option("--views", default=50, show_default=True, help="Views of each object.")
@click.option("--rounds", default=5, show_default=True, help="How often every page is opened.")
@click.option(
    "--folder", type=click.Path(path_type=Path), help="Where to build the data; a temporary folder by default."
)
def main(objects: int, views: int, rounds: int, folder: Path | None) -> None:
    """Measure and print."""
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        root = Path(scratch)
        chance = np.random.default_rng(0)
        jpegs = [draw_image(chance) for _ in range(IMAGES)]
        dataset = write_data(root / "data", objects, views, jpegs, -(-objects // SHARDS), held_out=0.2)
        start = time.process_time()
        write_site(dataset, root / "alone")
        seconds = time.process_time() - start
        write_site(dataset, root / "site", runs=[ExploredRun("pixels", Model(shrink), size=32)])
        write_plain_page(dataset, plan_sheets(select_objects(dataset, 10**9)).side, root / "plain")
        pages = {
            "explorer": ((root / "alone" / "index.html").as_uri(), FIRST_PICTURE),
            "plain": ((root / "plain" / "index.html").as_uri(), FIRST_PICTURE),
            "object": ((root / "alone" / "index.html").as_uri() + "#object?object=9", FIRST_PICTURE),
            "map": ((root / "site" / "index.html").as_uri() + "#map", FIRST_MAP),
        }
        measured: dict[str, list[tuple[float, float]]] = {name: [] for name in pages}
        for number in range(rounds):
            for name in list(pages) if number % 2 else reversed(pages):
                measured[name].append(time_page(*pages[name]))
            print(f"round {number + 1} of {rounds}", file=sys.stderr)
        result = {
            "benchmark": "explore",
            "views": dataset.num_objects * dataset.num_views,
            "write_cpu_seconds": round(seconds, 1),
            "site": measure_folder(root / "alone"),
            "plain": measure_folder(root / "plain"),
            "with_a_run": measure_folder(root / "site"),
            "first_picture_ms": {
                name: round(statistics.median(ms for ms, _ in found)) for name, found in measured.items()
            },
            "first_picture_mb": {
                name: round(statistics.median(mb for _, mb in found), 2)
                for name, found in measured.items()
                if name != "map"
            },
        }
    print(json.dumps(result))


if __name__ == "__main__":
    main()

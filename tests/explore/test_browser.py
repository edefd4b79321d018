"""The explorer in a real browser, opened from disk, on a data set whose answers are known."""

import shutil

import numpy as np
import pytest
from drawing import write_dataset
from explored_runs import exact_run, mistaken_run, quaternions_of, still_run

from iebench.catalogue import ObjectClass
from iebench.explore.writing import write_site
from iebench.factors.rotations import angle_between, compose, relative_rotation

pytestmark = pytest.mark.slow
EVIL = "<img src=x onerror=document.title=1>"
UNNAMED = """return [...document.querySelectorAll("[role=img], button, select, input, svg:not([aria-hidden])")]
  .filter(item => !(item.ariaLabel || item.textContent || item.labels?.length || item.querySelector("[aria-label]")))
  .map(item => item.outerHTML)"""
ADDRESSES = (
    "",
    "#browse?show=views",
    "#object?object=3&view=2",
    "#pair?object=3&source=1&target=4",
    "#map?color=floor_hue",
    "#retrieval",
    "#steering",
    "#disagreement",
)
CLASSES = (ObjectClass(0, "s0", "mug"), ObjectClass(1, "s1", EVIL), ObjectClass(2, "s2", "chair"))


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("explore") / "data", CLASSES, objects_per_class=6, num_views=6)


@pytest.fixture(scope="module")
def site(dataset):
    write_site(
        dataset, dataset.root.parent / "site", runs=[exact_run(dataset), mistaken_run(dataset), still_run(dataset)]
    )
    return dataset.root.parent / "site"


def run_python(browser) -> dict:
    """Run what the page gives to copy."""
    names: dict = {}
    exec(browser.run("return document.querySelector('.python code').textContent"), names)
    return names


@pytest.mark.parametrize("address", ADDRESSES)
def test_every_page_opens_without_an_error_or_an_outside_request(browser, site, address):
    browser.faults(), browser.requests()
    browser.open(site, address)
    browser.wait("return document.querySelectorAll('.picture, .entry, .scale').length > 0")
    assert browser.run(UNNAMED) == []
    for size in ((390, 844), (1200, 900)):
        browser.driver.set_window_size(*size)
        browser.wait(f"return innerWidth === {size[0]}")
        assert browser.run("return document.documentElement.scrollWidth - innerWidth") <= 0
    assert browser.faults() == []
    root = site.as_uri() + "/"
    assert all(url.startswith((root, "data:,")) or url == "about:blank" for url in browser.requests())


@pytest.mark.parametrize(
    ("address", "picture"), [("#browse", "covers/0.jpg"), ("#object?object=3", "views/0.jpg"), ("#pair", "views/0.jpg")]
)
def test_latents_are_asked_for_after_the_first_pictures(browser, site, address, picture):
    browser.requests()
    browser.open(site, address)
    asked = browser.requests()
    assert asked.index(f"{site.as_uri()}/{picture}") < asked.index(f"{site.as_uri()}/data/latents.js")


MISSING = "data/latents.js is missing or damaged: copy the whole folder of the explorer."
DRAWN = """const [told] = arguments, image = new Image();
image.src = getComputedStyle(document.querySelector(".picture")).backgroundImage.slice(5, -2);
image.decode().then(() => told(true), () => told(false));"""


@pytest.mark.parametrize("latents", [None, "receive("])
@pytest.mark.parametrize("address", ["#browse?floor_hue=0.2:0.4", "#object?object=3&view=2", "#pair?object=3"])
def test_pictures_need_no_latents(browser, site, tmp_path, address, latents):
    shutil.copytree(site, tmp_path / "site")
    damaged = tmp_path / "site" / "data" / "latents.js"
    damaged.unlink() if latents is None else damaged.write_text(latents)
    browser.open(tmp_path / "site", address)
    assert browser.driver.execute_async_script(DRAWN)
    assert [alert.text for alert in browser.driver.find_elements("css selector", "[role=alert]")] == [MISSING]
    assert browser.run("return document.querySelectorAll('.dial, .histogram, .gizmo-box:not([hidden])').length") == 0
    if "browse" in address:  # ranges that cannot be applied are dropped, and what is shown is what is told
        assert browser.text(".told") == "18 objects, 108 views" and "floor_hue" not in browser.run(
            "return location.hash"
        )
    browser.faults()


def test_names_of_others_stay_text(browser, site):
    browser.open(site, "#browse?class=1")
    assert EVIL in browser.text("#main")
    assert browser.run("return document.querySelectorAll('img').length") == 0
    assert "Browse" in browser.driver.title


def test_filters_find_what_numpy_finds(browser, site, dataset):
    browser.open(site, "#browse?class=0,2&floor_hue=0.25:0.75")
    browser.wait("return document.querySelectorAll('.histogram').length == 7")
    hue = dataset.latents[..., dataset.space.names.index("floor_hue")]
    matches = np.isin(dataset.labels, [0, 2])[:, None] & (hue >= 0.25) & (hue <= 0.75)
    assert browser.text(".told") == f"{matches.any(1).sum()} objects, {matches.sum()} views"
    copied = run_python(browser)
    np.testing.assert_array_equal(np.stack([copied["objects"], copied["views"]]), np.nonzero(matches))


def test_a_histogram_is_brushed_by_mouse_and_by_keys(browser, site, dataset):
    from selenium.webdriver import ActionChains, Keys

    browser.open(site, "#browse")
    browser.wait("return document.querySelectorAll('.histogram').length == 7")
    field = browser.find("[data-factor=floor_hue] .field")
    width = field.size["width"]
    actions = ActionChains(browser.driver, duration=20)
    actions.move_to_element_with_offset(field, -width // 4, 0).click_and_hold().move_by_offset(
        width // 2, 0
    ).release().perform()
    browser.wait("return location.hash.includes('floor_hue')")
    low, high = browser.run(
        "return decodeURIComponent(location.hash).match(/floor_hue=([^&]*)/)[1].split(':').map(Number)"
    )
    assert (low, high) == pytest.approx((0.25, 0.75), abs=0.02)
    hue = dataset.latents[..., dataset.space.names.index("floor_hue")]
    assert browser.text(".told").endswith(f", {((hue >= low) & (hue <= high)).sum()} views")
    handle = browser.find("[data-factor=floor_hue] [aria-label='floor hue from']")
    handle.send_keys(Keys.ARROW_LEFT)
    browser.wait(f"return Number(decodeURIComponent(location.hash).match(/floor_hue=([^:]*)/)[1]) < {low - 0.03}")
    handle.send_keys(Keys.ESCAPE)
    browser.wait("return !location.hash.includes('floor_hue')")
    assert browser.text(".told") == "18 objects, 108 views"


def test_the_search_box_finds_by_class_and_by_object(browser, site):
    from selenium.webdriver import ActionChains, Keys

    browser.open(site, "#browse")
    ActionChains(browser.driver).send_keys("/").pause(0.1).send_keys("MUG object-3").perform()
    browser.wait("return document.querySelector('.told').textContent.startsWith('1 object,')")
    assert browser.run("return document.querySelectorAll('.cell').length") == 1
    search = browser.find("#search")
    search.send_keys("zz")
    browser.wait("return document.querySelector('.grid').textContent.startsWith('Nothing is like that')")
    search.send_keys(Keys.BACKSPACE, Keys.BACKSPACE)
    browser.wait("return document.querySelectorAll('.cell').length == 1")
    assert "Nothing" not in browser.text(".grid")


def test_a_dial_brings_the_nearest_view(browser, site, dataset):
    browser.open(site, "#object?object=4&view=0")
    factors, latents = dataset.space.factors, dataset.latents[4]
    column = dataset.space.names.index("light_theta")
    wanted = latents[0].copy()
    for value in (factors[column].low, factors[column].high):
        browser.move("[data-factor=light_theta] input", value)
        wanted[column] = value
        share = np.abs(latents - wanted) / [factor.high - factor.low for factor in factors]
        circular = [factor.is_circular for factor in factors]
        share[:, circular] = np.minimum(share, 1 - share)[:, circular]
        weights = np.where(np.arange(len(factors)) == column, 4, 1)
        nearest = (weights * share**2).sum(1).argmin()
        assert f"view={nearest}" in browser.run("return location.hash") + ("&view=0" if nearest == 0 else "")
        np.testing.assert_array_equal(run_python(browser)["latents"]["light_theta"], latents[nearest, column])


def test_arrows_go_through_views_and_the_grid(browser, site):
    from selenium.webdriver import ActionChains, Keys

    browser.open(site, "#object?object=4&view=5")
    ActionChains(browser.driver).send_keys(Keys.ARROW_RIGHT).perform()
    assert "view=0" in browser.run("return location.hash")
    browser.open(site, "#browse")
    browser.find(".cell").send_keys(Keys.ARROW_RIGHT)
    ActionChains(browser.driver).send_keys(Keys.END).perform()
    assert browser.run("return document.activeElement.dataset.number") == "17"
    ActionChains(browser.driver).send_keys(Keys.ENTER).perform()
    browser.wait("return location.hash.startsWith('#object')")


def test_a_pair_tells_its_transform(browser, site, dataset):
    browser.open(site, "#pair?object=7&source=1&target=4")
    angles = dataset.latents[7][:, :3]
    turn = relative_rotation(angles[1], angles[4])
    shown = browser.text(".quaternion").replace("\N{MINUS SIGN}", "-").strip("()").split(", ")
    np.testing.assert_allclose([float(value) for value in shown], turn, atol=6e-5)
    degrees = np.degrees(2 * np.arccos(abs(turn[3])))
    assert browser.text(".words").startswith(f"Turned by {degrees:.0f}° about")
    copied = run_python(browser)
    np.testing.assert_allclose(copied["quaternion"], turn, atol=1e-6)
    assert round(copied["pair"].angle) == round(degrees)


def held_out(dataset):
    """The first of the held-out objects."""
    return int(np.flatnonzero(dataset.splits == "val")[0])


def test_retrieval_finds_the_target_of_an_exact_predictor(browser, site, dataset):
    browser.open(site, f"#retrieval?object={held_out(dataset)}&source=1&target=4")
    answer = "[data-run=exact]"
    assert browser.text(f"{answer} h2") == "exact the target is 1st of the object's 6 views"
    titles = """return [...document.querySelectorAll("[data-run=exact] > :not(details) .right")]
      .map(item => item.title.split(", ")[1])"""
    assert browser.run(titles) == ["view 4", "view 4"]
    assert "has no predictor" in browser.text("[data-run=mistaken] h2")
    browser.find("[aria-label^='Target view'] button:nth-child(3)").click()
    browser.wait("return location.hash.includes('target=2')")
    assert browser.run(titles) == ["view 2", "view 2"]


def test_the_slider_steers(browser, site, dataset):
    index = held_out(dataset)
    browser.open(site, f"#steering?object={index}&source=0&axis=0")
    browser.move(".steer input", 120)
    views = quaternions_of(dataset)[index]
    wanted = compose(views[0], np.array([np.sin(np.radians(60)), 0, 0, np.cos(np.radians(60))]))
    nearest = (views @ wanted).argmax()
    shown = browser.find("[data-run=exact] .neighbours:last-child a")
    assert shown.get_attribute("title").endswith(f"view {nearest}")
    assert shown.text == f"off {np.degrees(angle_between(wanted, views[nearest])):.0f}°"


def test_runs_disagree_where_one_is_mistaken(browser, site, dataset):
    browser.open(site, "#disagreement?first=0&second=1")
    number = (dataset.splits == "val").sum() * dataset.num_views // 2
    counts = (
        "return [...document.querySelectorAll('.cell-choice')].map(cell => cell.querySelector('strong').textContent)"
    )
    assert browser.run(counts) == [str(number), "0", str(number), "0"]
    found = run_python(browser)["found"]
    assert len(found) == number and all(dataset.splits[index] == "val" and view % 2 for index, view in found)


def test_predictors_disagree_about_every_turn(browser, site, dataset):
    browser.open(site, "#disagreement?first=2&second=0&by=rotation&cell=second")
    browser.wait("return document.querySelectorAll('.cell-choice').length == 4")
    number = (dataset.splits == "val").sum() * dataset.num_views * (dataset.num_views - 1)
    counts = (
        "return [...document.querySelectorAll('.cell-choice')].map(cell => cell.querySelector('strong').textContent)"
    )
    assert browser.run(counts) == ["0", str(number), "0", "0"]
    browser.find("a.cell").click()
    browser.wait("return location.hash.startsWith('#retrieval') && document.querySelector('[data-run=exact] h2')")
    assert "the target is 1st" in browser.text("[data-run=exact] h2")
    assert "the target is 1st" not in browser.text("[data-run=still] h2")


def test_the_map_shows_the_view_that_is_pointed_at(browser, site):
    from selenium.webdriver import ActionChains, Keys

    browser.open(site, "#map")
    browser.wait("return document.querySelectorAll('.entry').length == 3")
    canvas = browser.find(".scatter")
    canvas.send_keys(Keys.ARROW_RIGHT)  # the view nearest to the middle
    browser.wait("return !document.querySelector('.card').hidden")
    told = browser.text(".card")
    corner = browser.run(
        "const {left, top} = document.querySelector('.card').style; return [left, top].map(parseFloat)"
    )
    place = corner[0] - 14 - canvas.size["width"] / 2, corner[1] + 50 - canvas.size["height"] / 2
    mouse = ActionChains(browser.driver, duration=0)
    mouse.move_to_element_with_offset(canvas, 9 - canvas.size["width"] // 2, 9 - canvas.size["height"] // 2).perform()
    browser.wait("return document.querySelector('.card').hidden")
    mouse.move_to_element_with_offset(canvas, *map(round, place)).perform()
    browser.wait("return !document.querySelector('.card').hidden")
    assert browser.text(".card") == told
    mouse.click().perform()
    browser.wait("return location.hash.startsWith('#object')")
    assert browser.text("h1") in told

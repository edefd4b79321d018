"""The files of the explorer: what is in them, and where a view's thumbnail lies."""

import io
import re
import urllib.request
from importlib.resources import files

import numpy as np
import pytest
from click.testing import CliRunner
from drawing import write_dataset
from explored_runs import read_script
from PIL import Image

from iebench.cli.main import cli
from iebench.errors import UsageError
from iebench.explore.index import hide_password
from iebench.explore.pages import copy_pages
from iebench.explore.selection import select_objects
from iebench.explore.serving import serve_site
from iebench.explore.sheets import plan_sheets, write_sheets
from iebench.explore.writing import write_site
from iebench.loader.decode import decode_view


@pytest.fixture(scope="module")
def dataset(tmp_path_factory):
    return write_dataset(tmp_path_factory.mktemp("drawn") / "data", "4", objects_per_class=5, num_views=5)


def test_the_index_has_every_object_and_the_latents_are_theirs(dataset, tmp_path):
    assert write_site(dataset, tmp_path / "site") == dataset.num_objects
    index, latents = (read_script(tmp_path / "site" / "data" / f"{name}.js") for name in ("index", "latents"))
    order = index["objects"]["index"]
    assert sorted(order.tolist()) == list(range(dataset.num_objects))
    assert index["ids"] == dataset.object_ids[order].tolist()
    assert (np.diff(index["objects"]["label"].astype(int)) >= 0).all()
    np.testing.assert_array_equal(latents["latents"], dataset.latents[order].astype("f4"))


def test_the_scripts_of_the_pages_are_all_there_in_their_order(tmp_path):
    copy_pages(tmp_path)
    source = files("iebench.explore").joinpath("site")
    document, scripts = ((tmp_path / name).read_text() for name in ("index.html", "explorer.js"))
    assert re.findall(r'src="([^"]*)"', document) == ["explorer.js", "data/index.js"]
    texts = [path.read_text() for path in source.iterdir() if path.name.endswith(".js")]
    assert sorted(scripts.count(text) for text in texts) == [1] * len(texts)
    assert scripts.index("function make(") < scripts.index("const PAGES")


@pytest.mark.parametrize("num_views", [3, 70])
def test_every_view_lies_in_the_tile_where_the_page_looks_for_it(tmp_path, num_views):
    dataset = write_dataset(tmp_path / "data", "2", objects_per_class=3, num_views=num_views)
    shown = select_objects(dataset, 10**6)
    plan = plan_sheets(shown)
    write_sheets(shown, plan, tmp_path)
    for number in range(0, shown.num_shown, 11):
        place, view = divmod(number, num_views)
        sheet = np.asarray(Image.open(tmp_path / "views" / f"{number // plan.tiles}.jpg"), int)
        row, column = divmod(number % plan.tiles, 8)
        tile = sheet[row * plan.side :, column * plan.side :][: plan.side, : plan.side]
        assert np.abs(tile - decode_view(dataset, int(shown.objects[place]), view, plan.side)).mean() < 8


def test_a_large_dataset_is_thinned_evenly(dataset):
    shown = select_objects(dataset, 10 * dataset.num_views)
    labels, counts = np.unique(dataset.labels[shown.objects], return_counts=True)
    assert len(shown.objects) == 10 and len(labels) == 4 and counts.max() - counts.min() <= 1


def test_a_password_does_not_reach_the_page():
    assert hide_password("https://me:secret@host/data?key=secret") == "https://host/data"
    assert hide_password("https://me:se@cret@host/data") == "https://host/data"
    assert hide_password("hf://datasets/org/name@main") == "hf://datasets/org/name@main"
    assert hide_password("data/demo@2?") == "data/demo@2?"


def test_a_server_hands_out_the_site_and_refuses_a_port_that_is_taken(dataset, tmp_path):
    write_site(dataset, tmp_path / "site")
    with serve_site(tmp_path / "site", 0) as address:
        with urllib.request.urlopen(address) as answer:
            assert b"iebench explore" in answer.read()
        with urllib.request.urlopen(f"{address}covers/0.jpg") as answer:
            assert Image.open(io.BytesIO(answer.read())).size[0] == 8 * 32
        port = int(address.rstrip("/").rpartition(":")[2])
        with pytest.raises(UsageError, match=f"Port {port} cannot be used"), serve_site(tmp_path / "site", port):
            pass


def test_the_command_refuses_a_folder_that_is_there(dataset, tmp_path):
    (tmp_path / "site").mkdir()
    told = CliRunner().invoke(cli, ["explore", str(dataset.root), "-o", str(tmp_path / "site")])
    assert isinstance(told.exception, UsageError) and "exists already" in str(told.exception)
    told = CliRunner().invoke(cli, ["explore", str(dataset.root), "-o", str(tmp_path / "other")])
    assert told.exit_code == 0 and "shows 20 objects." in told.output

"""The sheets of pairs, and of all views of an object."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from iebench.cli.data import show
from iebench.dataset.card import CARD
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.designs import Trajectory
from iebench.factors.rotations import angle_between, euler_to_quaternion
from iebench.loader.decode import decode_view
from iebench.report.grid import draw_grids
from iebench.report.show import draw_sheet, pick_pairs, show_pair


def test_a_shown_pair_tells_its_angle_and_class(make_dataset):
    dataset = make_dataset(num_views=3)
    pair = show_pair(dataset, 2, 0, 2)
    rotations = euler_to_quaternion(dataset.latents[2][[0, 2], :3])
    assert pair.angle == pytest.approx(np.degrees(angle_between(rotations[0], rotations[1])))
    assert pair.lines[0].endswith("views 0 and 2") and f"{pair.angle:.0f}°" in pair.lines[1]


def test_a_sheet_holds_every_pair(make_dataset):
    dataset = make_dataset()
    pairs = pick_pairs(dataset, 5)
    sheet = np.asarray(draw_sheet(pairs, columns=2, side=32))
    assert len(pairs) == 5 and sheet.shape[1] == 2 * (2 * 32 + 24) and sheet.shape[0] % 3 == 0
    np.testing.assert_array_equal(sheet[8:40, 8:40], pairs[0].source)
    np.testing.assert_array_equal(sheet[8:40, 48:80], pairs[0].target)


def test_the_same_seed_shows_the_same_pairs(make_dataset):
    dataset = make_dataset()
    lines = [[pair.lines for pair in pick_pairs(dataset, 4, seed=seed)] for seed in (1, 1, 2)]
    assert lines[0] == lines[1] != lines[2]
    with pytest.raises(UsageError, match="0 pairs"):
        pick_pairs(dataset, 0)


@pytest.mark.parametrize("name", ["pairs.png", "new/pairs.jpg"])
def test_the_suffix_says_in_which_format_pairs_are_drawn(drawn_dataset, tmp_path, name):
    told = CliRunner().invoke(show, [str(drawn_dataset), "--pairs", "2", "--out", str(tmp_path / name)])
    assert told.exit_code == 0
    with Image.open(tmp_path / name) as picture:
        assert picture.format == {"png": "PNG", "jpg": "JPEG"}[name[-3:]]


def test_an_unknown_format_is_refused(drawn_dataset, tmp_path):
    told = CliRunner().invoke(show, [str(drawn_dataset), "--pairs", "2", "--out", str(tmp_path / "pairs.xyz")])
    assert isinstance(told.exception, UsageError) and "name a file that ends in .jpg or .png" in str(told.exception)
    assert not (tmp_path / "pairs.xyz").exists()


def test_a_grid_has_a_row_for_each_clip(make_dataset, tmp_path):
    root = make_dataset("clips", num_views=6).root
    card = json.loads((root / CARD).read_text())
    (root / CARD).write_text(json.dumps(card | {"design": Trajectory(3, 2).to_json()}))
    sheet = np.asarray(draw_grids(Dataset(root), 2, side=32))
    assert sheet.shape == (2 * (2 * 15 + 2 * 36 + 4), 480, 3)
    first = int(Dataset(root).split_indices("train")[0])
    np.testing.assert_array_equal(sheet[30 + 36 :][:32, 130 + 36 :][:, :32], decode_view(Dataset(root), first, 4))
    told = CliRunner().invoke(show, [str(root), "--grid", "1", "--out", str(tmp_path / "grid.png")])
    assert told.exit_code == 0 and (tmp_path / "grid.png").exists()

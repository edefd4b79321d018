from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from iebench.render import materials
from iebench.render.dice import Dice
from iebench.render.materials import Material
from iebench.render.obj_file import write_obj
from iebench.render.recipe import Part
from iebench.render.shapes import box

MAKERS: list[Callable[[Dice], Material]] = [
    materials.plastic, materials.paint, materials.metal, materials.rubber, materials.glass, materials.window,
    materials.lamp_glow, materials.fabric, materials.leather, materials.wood, materials.stone, materials.wicker,
    materials.dots, materials.label, materials.screen, materials.readout, materials.dial, materials.keys,
    materials.solid, materials.cloth, materials.hard,
]  # fmt: skip


@pytest.mark.parametrize("make", MAKERS, ids=lambda make: make.__name__)
def test_colors_are_colors(make: Callable[[Dice], Material]) -> None:
    for index in range(20):
        material = make(Dice("material", index))
        assert all(0 <= channel <= 1 for channel in material.color)
        assert 0 < material.opacity <= 1
        if material.picture is not None:
            assert material.picture.shape[2] == 3
            assert material.picture.min() >= 0 and material.picture.max() <= 1.0


def test_a_material_is_not_the_color_of_its_class() -> None:
    hues = [materials.any_color(Dice("colour", index)) for index in range(300)]
    mean = np.mean(hues, axis=0)
    assert np.ptp(mean) < 0.1, "no colour is preferred"
    assert np.std(hues, axis=0).min() > 0.15


def test_contrast_stands_out() -> None:
    d = Dice("contrast")
    white, black = materials.plastic(d, (0.9, 0.9, 0.9)), materials.plastic(d, (0.01, 0.01, 0.01))
    assert np.mean(materials.contrast(d, white)) < 0.1
    assert np.mean(materials.contrast(d, black)) > 0.5


def test_pictures_are_written_in_srgb(tmp_path: Path) -> None:
    picture = np.zeros((4, 4, 3))
    picture[0] = (1.0, 0.2140, 0.0)
    write_obj([Part("only", box(1, 1, 1), Material("test", (1, 1, 1), picture=picture))], tmp_path)
    pixels = np.asarray(Image.open(tmp_path / "images" / "test_0.bmp"))
    assert pixels[0, 0].tolist() == [255, 127, 0]
    assert pixels[1:].max() == 0


def test_a_material_shared_by_parts_is_written_once(tmp_path: Path) -> None:
    wood, metal = materials.wood(Dice(1)), materials.metal(Dice(2))
    path = write_obj([Part(str(i), box(1, 1, 1), m) for i, m in enumerate((wood, metal, wood))], tmp_path)
    assert path.with_suffix(".mtl").read_text().count("newmtl") == 2
    assert len(list((tmp_path / "images").iterdir())) == 1

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

from iebench.cli.objects import objects
from iebench.factors.symmetry import built_in_classes


def run(*arguments: str) -> str:
    result = CliRunner().invoke(objects, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_list_names_all_classes() -> None:
    lines = run("list").splitlines()
    assert len(lines) == len(built_in_classes())
    assert "02880940  bowl             symmetry: any turn" in "\n".join(lines)


def test_export_writes_the_objects_asked_for(tmp_path: Path) -> None:
    run("export", str(tmp_path), "--classes", "chair,mug", "--per-class", "2", "--first", "5")
    found = sorted(path.parent.parent.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*.obj"))
    assert found == [f"{synset}/p1-{index:06d}" for synset in ("03001627", "03797390") for index in (5, 6)]


@pytest.mark.slow
def test_sheet_shows_every_object(tmp_path: Path) -> None:
    out = tmp_path / "sheet.png"
    run("sheet", str(out), "--classes", "bowl,chair", "--per-class", "3", "--size", "64")
    pixels = np.asarray(Image.open(out)).astype(int)
    assert pixels.shape == (128, 192, 3)
    tiles = pixels.reshape(2, 64, 3, 64, 3).transpose(0, 2, 1, 3, 4).reshape(6, 64, 64, 3)
    for tile in tiles:
        middle, floor = tile[20:40, 20:44], tile[24, 2]
        assert np.abs(middle - floor).max() > 40
    assert len({tile.tobytes() for tile in tiles}) == 6

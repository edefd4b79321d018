"""What the commands on datasets tell."""

import pytest
from click.testing import CliRunner

from iebench.cli.data import COMMANDS


@pytest.mark.parametrize(("asked", "told"), [(1, "1 object."), (99, "15 objects.")])
def test_show_tells_how_many_objects_are_shown(drawn_dataset, tmp_path, asked, told):
    words = [str(drawn_dataset), "--grid", str(asked), "--out", str(tmp_path / "grid.png")]
    output = CliRunner().invoke(COMMANDS["show"], words, catch_exceptions=False).output
    assert output.endswith(f"shows all views of {told}\n")

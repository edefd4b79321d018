"""What a dataset tells of itself is measured."""

import json

import numpy as np
import pytest
from click.testing import CliRunner

from iebench.cli.data import COMMANDS
from iebench.report.describe import describe_dataset, write_description


def test_counts_and_ranges_are_those_of_the_files(make_dataset):
    dataset = make_dataset(num_views=7)
    told = describe_dataset(dataset)
    assert told["counts"]["splits"] == dataset.card.to_json()["splits"] and told["counts"]["failures"] == 1
    assert sum(sum(numbers.values()) for numbers in told["classes"].values()) == dataset.num_objects
    for column, (name, factor) in enumerate(told["factors"].items()):
        assert name == dataset.space.names[column]
        assert factor["least"] == dataset.latents[..., column].min()
        assert sum(factor["histogram"]) == dataset.num_objects * 7
    assert all(name in write_description(told) for name in (*dataset.space.names, "airplane", "val"))


@pytest.mark.slow
@pytest.mark.parametrize(("space", "share"), [("3diebench", 0.25), ("so3", 1.0), ("ood-rotation", 0.75)])
def test_the_share_of_all_rotations_that_views_reach_is_the_space_s_own(make_dataset, space, share):
    dataset = make_dataset(classes="8", objects_per_class=8, num_views=120, size=8, space=space)
    rotations = describe_dataset(dataset)["rotations"]
    assert rotations["reached"] / rotations["parts"] == pytest.approx(share, abs=0.06)


def test_the_command_prints_json(drawn_dataset):
    told = json.loads(CliRunner().invoke(COMMANDS["info"], [str(drawn_dataset), "--json"]).output)
    assert told["rotations"]["pairs"]["greatest"] <= 180 and np.isfinite(told["rotations"]["pairs"]["median"])

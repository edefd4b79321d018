"""With more than two views of an object, every ordered pair is a source and its target."""

from itertools import permutations
from pathlib import Path

import numpy as np
import pytest
import torch
from click.testing import CliRunner
from runs import read_metrics
from scipy.spatial.transform import Rotation

from iebench.cli.train import train_command
from iebench.loader.multiview import MultiViewDataset
from iebench.models.method import METHODS
from iebench.models.registry import build_method
from iebench.models.settings import AllPairsSettings

NAMES = [name for name, entry in METHODS.items() if issubclass(entry.settings, AllPairsSettings)]


def test_methods_whose_negatives_are_other_objects_do_not_offer_it() -> None:
    assert NAMES == ["sie", "equivariant-only", "vicreg", "vicreg-partial", "vicreg-equimod", "supervised"]


@pytest.mark.parametrize("name", NAMES)
def test_the_loss_is_that_of_all_ordered_pairs(name: str, drawn_dataset: Path) -> None:
    torch.manual_seed(0)
    sizes = {} if name == "supervised" else {"projector": "16-8"}
    method = build_method(name, METHODS[name].settings(backbone="resnet18-narrow", num_views=3, **sizes), 4, 55)
    data = MultiViewDataset(drawn_dataset, num_views=method.num_views, anchor=method.anchor)
    views = data.read_batch(np.arange(5))
    output = method(views)

    images = torch.cat([views.images[:, view] for view in range(3)])  # one pass, so one set of batch statistics
    seen = dict(enumerate(method.represent(images).split(5)))
    rotations = [Rotation.from_euler("xyz", views.latents[:, view, :3].numpy()) for view in range(3)]
    pairs = list(permutations(range(3), 2))
    transforms = np.concatenate([(rotations[a].inv() * rotations[b]).as_quat() for a, b in pairs])
    told = views._replace(
        transforms=torch.from_numpy(transforms).float()[:, None], label=torch.cat([views.label] * len(pairs))
    )
    source, target = (torch.cat([seen[pair[end]] for pair in pairs]) for end in (0, 1))
    expected, terms = method.objective(source, target, told)
    assert output.loss.item() == pytest.approx(expected.item(), rel=1e-4)
    assert set(output.terms) == set(terms)
    assert output.representations.shape == (5, 3, method.sizes.representation)
    torch.testing.assert_close(output.representations[:, 1], seen[1], rtol=1e-3, atol=1e-4)


@pytest.mark.slow
def test_four_views_train(drawn_dataset: Path, tmp_path: Path) -> None:
    words = ["vicreg", "--data", str(drawn_dataset), "--out", str(tmp_path / "run"), "--num-views", "4", "--steps", "2"]
    words += ["--batch-size", "4", "--projector", "16-8", "--backbone", "resnet18-narrow", "--log-every", "1"]
    done = CliRunner().invoke(train_command, words, catch_exceptions=False)
    assert done.exit_code == 0
    assert [float(row["train/variance"]) > 0 for row in read_metrics(tmp_path / "run") if row["train/loss"]] == [
        True
    ] * 2

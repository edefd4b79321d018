"""A dataset of another factor space is scored for what it shows: its own objects, classes and factors."""

import numpy as np
import pytest
import torch

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.evals import EvalSettings, ProbeSettings, run_suite
from iebench.evals.eval_dataset import StoredDataset
from iebench.evals.ood import open_ood
from iebench.evals.significance import compare_methods

NAMES = "apple", "pear", "plum"
QUICK = EvalSettings(probes=ProbeSettings(epochs=20, batch_size=16, lr=0.05), draws=0, baselines=("constant",))


def fruit(names):
    """Classes as a folder of objects gives them: labels are ranks."""
    return tuple(ObjectClass(label, name, name) for label, name in enumerate(sorted(names)))


def made_of(fake, names, **settings):
    dataset = fake(num_classes=len(names), **settings)
    dataset.classes = fruit(names)
    return dataset


@pytest.fixture
def tell_names(read_labels):
    """A network that tells names of classes apart, of a dataset of some of them."""

    def of(names):
        places = torch.tensor([NAMES.index(name) if name in NAMES else 3 for name in sorted(names)])
        return lambda images: torch.eye(4)[places[read_labels(images)]]

    return of


@pytest.fixture
def scored(fake, tell_names, read_latents):
    """Scores on an OOD dataset of some classes, by a network to which class and rotation are plain."""

    def score(names, tasks="classification,knn,rotation"):
        first, second = made_of(fake, NAMES), made_of(fake, names, seed=1)
        second.latents[..., 3] += 2  # no hue, but told apart by it

        def represent(images):
            latents = read_latents(images)
            tell = tell_names(names if latents[0, 3] > 1 else NAMES)
            return torch.cat([tell(images), latents[:, :3].float()], dim=1)

        return run_suite(represent, first, tasks, QUICK, ood=second)

    return score


def test_classes_are_matched_by_their_names(scored):
    found = scored(["pear", "plum"])
    for key in ("classification/whole/top1", "knn/whole/top1"):
        assert found.get(key) == found.get(f"ood/{key}") == 1
    assert set(found.details["ood/classification/whole/top1_by_class"]) == {"pear", "plum"}


def test_a_class_that_no_probe_knows_leaves_classification_out(scored):
    found = scored(["fig", "pear", "plum"])
    keys = set(found.scores.scores)
    assert {"classification/whole/top1", "knn/whole/top1", "ood/rotation/whole/r2_uniform"} <= keys
    assert not keys & {"ood/classification/whole/top1", "ood/knn/whole/top1"}


def test_factors_that_do_not_vary_there_have_no_scores(fake, read_latents):
    held = fake(seed=1)
    held.latents[..., held.space.columns(["floor_hue", "light_hue"])] = 0.5
    held.latents[..., held.space.columns(["rotation_x", "rotation_y", "rotation_z"])] = 0.3
    found = run_suite(lambda images: read_latents(images).float(), fake(), "color,rotation,pose,knn", QUICK, ood=held)
    tasks = {key.rpartition("/whole")[0] for key in found.scores.scores}
    assert tasks == {"color", "rotation", "pose", "knn", "ood/knn"}
    assert np.isfinite([entry.mean for entry in found.scores.scores.values()]).all()


def test_objects_that_probes_learn_from_are_left_out(make_dataset):
    first, ood = (StoredDataset(make_dataset(name, space=name)) for name in ("3diebench", "ood-rotation"))
    opened = open_ood(ood, first)
    held = first.split_indices("val")
    assert opened.split_indices("all").tolist() == held.tolist()  # the same objects in the same order
    assert opened.card["left_out"] == len(first.split_indices("train")) and opened.identity != ood.identity
    images = torch.cat(list(opened.images("all")))
    whole = torch.cat(list(ood.images("all"))).unflatten(0, ood.latents.shape[:2])
    assert torch.equal(images, whole[held].flatten(0, 1))
    for start in (1, 5, len(images) - 1):
        assert torch.equal(torch.cat(list(opened.images("all", start))), images[start:])
    assert open_ood(opened, first) is opened


def test_nothing_but_objects_that_probes_learn_from_is_refused(make_dataset):
    first, ood = StoredDataset(make_dataset("all", objects_per_class=5)), StoredDataset(make_dataset("again"))
    learned = ood.dataset.split_indices("train")
    ood.dataset.synsets, ood.dataset.object_ids = ood.dataset.synsets[learned], ood.dataset.object_ids[learned]
    ood.labels = ood.labels[learned]
    with pytest.raises(UsageError, match="All objects of --ood are among those from which the probes learn"):
        open_ood(ood, first)


def test_runs_with_other_data_of_one_card_are_not_compared(fake, read_latents):
    def score(name, seed):
        ood = fake(seed=seed)
        ood.identity = f"drawn with {seed}"
        return run_suite(lambda images: read_latents(images).float(), fake(), "rotation", QUICK, ood=ood, name=name)

    with pytest.raises(UsageError, match="different datasets"):
        compare_methods([score("one", 1), score("two", 2)], "one", "two")

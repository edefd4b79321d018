"""A dataset of another factor space is scored for what it shows: its own objects, classes and factors."""

import numpy as np
import pytest
import torch

from iebench.catalogue import CLASSES, ObjectClass
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


def test_labels_stay_with_their_images_in_whatever_order_objects_come(fake, tell_names, read_latents):
    first, second = made_of(fake, NAMES), made_of(fake, ["pear", "plum"], seed=1)
    order = np.random.default_rng(0).permutation(len(second.labels))
    second.split_indices = lambda split: order
    opened = open_ood(second, first)
    latents = read_latents(torch.cat(list(opened.images("all")))).numpy()
    np.testing.assert_array_equal(latents, opened.latents[opened.split_indices("all")].reshape(-1, 7))


def test_classes_of_the_benchmark_that_no_probe_has_seen_are_unknown_too(fake):
    """Their labels are below the number of logits, which is 55 for any of them."""
    some, more = fake(num_classes=3), fake(num_classes=4, seed=1)
    assert open_ood(some, some) is some
    opened = open_ood(more, some)
    assert sorted(set(opened.labels.tolist())) == [0, 1, 2, 55]
    assert {entry.label: entry.name for entry in opened.classes}[55] == CLASSES[3].name


def test_objects_that_probes_learn_from_are_left_out(make_dataset, capsys):
    first, ood = (StoredDataset(make_dataset(name, space=name)) for name in ("3diebench", "ood-rotation"))
    opened = open_ood(ood, first)
    held = first.split_indices("val")
    learned = len(first.split_indices("train"))
    assert f"{learned} objects are left out" in capsys.readouterr().err
    assert opened.split_indices("all").tolist() == held.tolist()  # the same objects in the same order
    assert opened.card["left_out"] == learned and opened.identity != ood.identity
    images = torch.cat(list(opened.images("all")))
    whole = torch.cat(list(ood.images("all"))).unflatten(0, ood.latents.shape[:2])
    assert torch.equal(images, whole[held].flatten(0, 1))
    assert torch.equal(torch.cat(list(opened.images("all", 5))), images[5:])
    fewer = open_ood(StoredDataset(ood.dataset, max_objects=2), first)
    assert len(fewer.split_indices("all")) == 2 and set(fewer.split_indices("all")) <= set(held)


def test_nothing_but_objects_that_probes_learn_from_is_refused(make_dataset):
    first, ood = StoredDataset(make_dataset("first")), StoredDataset(make_dataset("again"))
    first.dataset.splits[:] = "train"
    with pytest.raises(UsageError, match="All objects of --ood are among those from which the probes learn"):
        open_ood(ood, first)


def test_runs_with_other_data_of_one_card_are_not_compared(fake, read_latents):
    def score(name, seed):
        ood = fake(seed=seed)
        ood.identity = f"drawn with {seed}"
        return run_suite(lambda images: read_latents(images).float(), fake(), "rotation", QUICK, ood=ood, name=name)

    with pytest.raises(UsageError, match="different datasets"):
        compare_methods([score("one", 1), score("two", 2)], "one", "two")

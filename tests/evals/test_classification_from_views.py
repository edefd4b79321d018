"""Classification from n views on images that are their latents: which views are asked, and known scores."""

import numpy as np
import pytest
import torch

from iebench.errors import UsageError
from iebench.evals import EvalSettings, Model, ProbeSettings, run_suite
from iebench.evals.tasks.classification_from_views import ClassificationFromViews
from iebench.factors.transforms import make_transform

NAME = "classification-from-views"
QUICK = EvalSettings(probes=ProbeSettings(epochs=30, batch_size=50, lr=1e-1), draws=10, baselines=("random init",))


@pytest.fixture
def half_seen(read_latents, read_labels):
    """The class as one-hot numbers, in those views whose floor has one half of all hues; nothing in the others."""
    return lambda images: torch.eye(5)[read_labels(images)] * (read_latents(images)[:, 3:4] > 0.5)


def test_a_mean_of_more_views_knows_what_few_show(fake, half_seen):
    results = run_suite(Model(half_seen), fake(num_train=100, num_val=200), (ClassificationFromViews,), QUICK)
    for count in (1, 2, 4, 8):
        seen = 1 - 0.5**count
        expected = seen + (1 - seen) / 5  # by chance where no view shows it
        assert results.get(f"{NAME}/mean-{count}/top1") == pytest.approx(expected, abs=0.06)
    curve = results.details[f"{NAME}/top1"]["mean"]
    assert curve == {str(count): results.get(f"{NAME}/mean-{count}/top1") for count in (1, 2, 4, 8)}
    assert results.details[f"{NAME}/sets_per_object"] == 4
    assert not [key for key in results.scores.scores if "/set-" in key]


@pytest.mark.parametrize(("anchor", "starts"), [("first", [0, 0]), ("previous", [0, 1])])
def test_sets_are_the_same_views_with_all_that_belongs_to_them(
    fake, half_seen, read_latents, read_labels, anchor, starts
):
    data, asked = fake(num_train=20, num_val=20, batch_size=7), []

    def represent_set(views):
        asked.append(views)
        return torch.eye(5)[read_labels(views.images[:, -1])]

    model = Model(half_seen, represent_set=represent_set, anchor=anchor, transform="rotation+color")
    results = run_suite(model, data, (ClassificationFromViews(counts=(3, 99), sets_per_object=2),), QUICK)
    assert results.get(f"{NAME}/set-3/top1") == 1
    assert set(results.details[f"{NAME}/top1"]) == {"mean", "set"}

    views = type(asked[0])(*map(torch.cat, zip(*asked, strict=True)))
    assert views.images.shape[:2] == (80, 3)  # two sets of each object
    assert (views.label == -1).all()
    assert sorted(views.object_index.tolist()) == [object // 2 for object in range(80)]
    assert all(len(set(row)) == 3 for row in views.view_index.tolist())
    latents = data.latents[views.object_index[:, None], views.view_index]
    assert np.array_equal(views.latents, latents)
    for place in range(3):
        assert np.array_equal(read_latents(views.images[:, place]), latents[:, place])
    transform = make_transform("rotation+color", data.space)
    for number, start in enumerate(starts):
        assert np.array_equal(views.transforms[:, number], transform(latents[:, start], latents[:, number + 1]))


def test_neither_batches_nor_other_counts_change_a_set(fake, half_seen):
    found = []
    model = Model(
        half_seen, represent_set=lambda views: half_seen(views.images.flatten(0, 1)).view(-1, 5 * views.images.shape[1])
    )
    for batch_size, counts in ((33, (2,)), (5, (2, 4))):
        results = run_suite(model, fake(batch_size=batch_size), (ClassificationFromViews(counts),), QUICK)
        found.append([results.get(f"{NAME}/{kind}-2/top1") for kind in ("mean", "set")])
    assert found[0] == found[1]


def test_another_dataset_may_have_fewer_views(fake, half_seen, read_labels):
    model = Model(half_seen, represent_set=lambda views: torch.eye(5)[read_labels(views.images[:, 0])])
    results = run_suite(
        model, fake(num_views=4), (ClassificationFromViews((2, 4)),), QUICK, ood=fake(num_views=2, seed=1)
    )
    kinds = {key.removesuffix("/top1") for key in results.scores.scores if key.endswith("/top1")}
    own = {f"{NAME}/{kind}-{count}" for kind in ("mean", "set") for count in (2, 4)}
    assert kinds == own | {f"ood/{NAME}/{kind}-2" for kind in ("mean", "set")}


def test_counts_that_make_no_sense_are_told(fake, half_seen):
    for settings in ({"counts": ()}, {"counts": (0, 2)}, {"sets_per_object": 0}):
        with pytest.raises(UsageError, match="1 or more"):
            ClassificationFromViews(**settings)
    with pytest.raises(UsageError, match="nothing to score"):
        run_suite(Model(half_seen), fake(), (ClassificationFromViews(counts=(99,)),), QUICK)

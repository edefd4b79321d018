"""The linear companions of regressions where what they can find is known."""

from dataclasses import replace

import numpy as np
import pytest
from known_views import SPACE, TRAIN, views_of

from iebench.evals import Context, EvalSettings, Model, run_suite
from iebench.evals.evaluator import Score
from iebench.evals.linear_probe import FittedLinearly
from iebench.evals.tasks.color import Color
from iebench.evals.tasks.pose_linear import LinearPose
from iebench.factors.rotations import euler_to_quaternion
from iebench.factors.space import ROTATION

RNG = np.random.default_rng(9)
MIXING = RNG.normal(size=(4, 12))


class LinearColor(FittedLinearly, Color):
    """Differences of hues are linear in the hues of the two views."""

    name = "color-linear"
    columns = ()


def quaternions(latents):
    return euler_to_quaternion(latents[..., SPACE.columns(ROTATION)])


def score(task, make, draws=0, seeds=(0,)):
    """Scores of a representation by a function of latents and of a generator."""
    context = Context(views_of(make), {"": views_of(make, 30, TRAIN)}, Model(len), EvalSettings(seeds, draws=draws))
    return {one.key.split("/", 1)[1]: one for one in task().run(context) if isinstance(one, Score)}


def test_a_rotation_that_is_held_linearly_is_found():
    found = score(LinearPose, lambda latents, rng: quaternions(latents) @ MIXING + 5, draws=20, seeds=(0, 1))
    assert found["whole/r2_uniform"].value == pytest.approx(1, abs=1e-4)
    assert found["whole/median_degrees"].value < 0.5
    assert found["whole/r2_uniform"].low <= found["whole/r2_uniform"].value <= found["whole/r2_uniform"].high


def test_a_rotation_that_is_held_otherwise_is_not():
    assert score(LinearPose, lambda latents, _: quaternions(latents) ** 2)["whole/r2_uniform"].value < 0.2


def test_a_pair_is_one_input():
    found = score(LinearColor, lambda latents, rng: np.exp(latents * 0.01) + 3)
    assert found["whole/r2_uniform"].value > 0.99


@pytest.mark.parametrize("width", [3, 300])
def test_noise_scores_as_a_constant(width):
    found = score(LinearPose, lambda latents, rng: rng.normal(size=(*latents.shape[:2], width)))
    assert found["whole/r2_uniform"].value == pytest.approx(0, abs=0.1)


def test_companions_stand_in_the_results_beside_what_they_accompany(fake, read_latents):
    tasks = "pose-linear,rotation-linear,knn,spectrum,dci"
    model = Model(lambda images: read_latents(images).float(), parts={"front": slice(0, 3)})
    ood = fake(space="ood-rotation", seed=1, num_train=5, num_val=5)
    settings = EvalSettings(seeds=(0, 1), draws=2, baselines=("constant",))
    results = run_suite(model, fake(), tasks, settings, ood)
    for key in (
        "pose-linear/front/r2_uniform",
        "rotation-linear/whole/median_degrees",
        "knn/whole/top5",
        "spectrum/front/participation_ratio",
        "dci/whole/completeness",
        "ood/spectrum/whole/rankme",
        "ood/knn/whole/top1",
        "ood/dci/front/informativeness",
    ):
        assert results.get(key) is not None, key
    assert {len(score.values) for score in results.scores.scores.values()} == {1}  # nothing of them is drawn by a seed
    assert results.baselines["constant"].scores["rotation-linear/whole/r2_uniform"].mean == pytest.approx(0, abs=0.05)
    assert results.details["knn/settings"] == {"k": 20, "temperature": 0.07, "training_views": 400}
    assert "errors_by_object" in {key.rpartition("/")[2] for key in results.details}


def test_another_dataset_that_lacks_a_factor_is_left_out():
    train, val = views_of(lambda latents, rng: latents), views_of(lambda latents, rng: latents, 30, TRAIN)
    hue = SPACE.names.index("light_hue")
    space = replace(SPACE, factors=tuple(factor for factor in SPACE.factors if factor.name != "light_hue"))
    ood = replace(val, space=space, latents=np.delete(val.latents, hue, axis=-1))
    context = Context(train, {"": val, "ood/": ood}, Model(len), EvalSettings(draws=0))
    for found in (LinearColor().run(context), LinearColor().constant(context)):
        keys = [one.key for one in found if isinstance(one, Score)]
        assert keys and not any(key.startswith("ood/") for key in keys)
    assert any(one.key.startswith("ood/") for one in LinearPose().run(context))


def test_of_a_design_each_level_is_left_when_views_are_thinned():
    """Each second view of a grid is on the same level of its fastest axis."""
    views = views_of(lambda latents, rng: latents)
    crossed = replace(views, latents=np.tile(np.arange(6.0) % 2, (60, 1))[..., None] + np.zeros(7))
    thinned = crossed.thin(180)
    assert thinned.values.shape[:2] == (60, 3) and thinned.latents.mean() == pytest.approx(0.5, abs=0.1)
    assert (np.ptp(thinned.latents[..., 0], axis=1) == 1).mean() > 0.75, "pairs of an object's views are of one level"


def test_fewer_objects_keep_all_of_their_views():
    views = views_of(lambda latents, rng: latents)
    fewer = views.fewer_objects(60)
    assert fewer.objects.tolist() == list(range(0, 60, 6)) and views.fewer_objects(360) is views
    assert np.array_equal(fewer.values, views.values[fewer.objects]) and fewer.num_views == 6
    assert fewer.labels.tolist() == (fewer.objects % 5).tolist()

"""What is said of predictors whose action is known: a perfect one, one that does nothing, and one that is no group's."""

import numpy as np
import pytest
import torch

from iebench.evals.gallery import Gallery, Shown, build_gallery
from iebench.evals.predictor_analysis import PredictorAnalysis
from iebench.evals.representations import extract
from iebench.evals.retrieval import compose_quaternions
from iebench.factors.rotations import euler_to_quaternion


@pytest.fixture
def dataset(fake):
    return fake(num_val=12, num_views=30)


@pytest.fixture
def representations(dataset, read_latents):
    def represent(images):
        return torch.from_numpy(euler_to_quaternion(read_latents(images)[:, :3].numpy())).float()

    return extract(represent, dataset, "val", embed=lambda x: torch.cat([torch.zeros(len(x), 2), x], dim=1))


def last_four(embedding, rotation):
    """The exact predictor on embeddings with an invariant part of two numbers before the quaternion."""
    return compose_quaternions(embedding[:, 2:], rotation)


def test_the_exact_predictor_is_a_group_action(representations):
    laws = PredictorAnalysis(last_four, representations).group_laws()
    assert max(laws[name] for name in ("identity", "inverse", "composition", "prediction")) < 1e-6
    assert laws["spread"] > 0.1


def test_standing_still_keeps_the_laws_but_predicts_nothing(representations):
    laws = PredictorAnalysis(lambda embedding, rotation: embedding[:, 2:], representations).group_laws()
    assert max(laws[name] for name in ("identity", "inverse", "composition")) < 1e-6
    assert laws["prediction"] == pytest.approx(laws["spread"])


def test_a_forgetful_predictor_breaks_the_laws(representations):
    laws = PredictorAnalysis(lambda embedding, rotation: rotation, representations).group_laws()
    assert laws["inverse"] > 0.05
    assert laws["composition"] > 0.05


def test_distance_grows_with_the_angle_when_nothing_is_predicted(representations):
    curves = PredictorAnalysis(last_four, representations).angle_curves()
    unmoved = [value for _, value in sorted(curves["unmoved"].items(), key=lambda item: float(item[0]))]
    assert unmoved[:9] == sorted(unmoved[:9])  # beyond 135° quaternions of both signs mix
    assert max(curves["predicted"].values()) < 1e-6


def test_steering_leads_to_the_nearest_real_view(representations):
    steering = PredictorAnalysis(last_four, representations).steer(3)
    rotations = euler_to_quaternion(representations.latents[3, :, :3])
    for degrees, gap in zip(steering.degrees, steering.gaps, strict=True):
        turn = euler_to_quaternion(np.radians([[0.0, 0.0, degrees]]))
        wanted = compose_quaternions(torch.from_numpy(rotations[:1]), torch.from_numpy(turn))
        # among views of one sign of the quaternion nearness is that of rotations
        assert gap <= 2 * np.degrees(np.arccos(np.clip((rotations @ wanted[0].double().numpy()).max(), -1, 1))) + 1e-3
    assert steering.gaps[steering.degrees.index(0)] == pytest.approx(0, abs=0.1)
    assert steering.views[steering.degrees.index(0)] == steering.wanted[steering.degrees.index(0)] == 0


def test_in_a_dense_turn_the_exact_predictor_finds_every_step(fake, read_latents):
    """Views that turn about the object's axis, of which the middle one is turned: each step has a view within half a gap."""
    dataset = fake(num_val=3, num_views=73)
    dataset.latents[..., :3] = np.linspace(-np.pi / 2, np.pi / 2, 73)[:, None] * [0, 0, 1]

    def represent(images):
        rotations = torch.from_numpy(euler_to_quaternion(read_latents(images)[:, :3].numpy())).float()
        return torch.cat([torch.zeros(len(rotations), 2), rotations], dim=1)

    steering = PredictorAnalysis(last_four, extract(represent, dataset, "val", embed=lambda x: x)).steer(1, source=36)
    assert steering.wanted.tolist() == [0, 12, 24, 36, 48, 60, 72]
    assert np.array_equal(steering.views, steering.wanted) and steering.gaps.max() < 1e-3


def test_the_gallery_shows_what_was_found(dataset, representations, tmp_path):
    shown = Shown(PredictorAnalysis(last_four, representations), dataset, "val")
    gallery = build_gallery(shown, shown)
    assert gallery.found[:, 0].all()
    assert np.array_equal(gallery.neighbours[:, 0], gallery.truths)
    gallery.save(tmp_path)
    again = Gallery.load(tmp_path)
    assert all(np.array_equal(value, getattr(again, name)) for name, value in vars(gallery).items())
    assert Gallery.load(tmp_path / "elsewhere") is None

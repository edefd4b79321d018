"""How many dimensions are used, where this is known."""

from dataclasses import replace

import numpy as np
import pytest
from known_views import views_of

from iebench.evals.spectrum import participation_ratio, spectra
from iebench.evals.tasks.spectrum import measure_spectrum

RNG = np.random.default_rng(3)
WIDTH = 120


def measure(values):
    """The measures of a matrix of representations, 6 views an object."""
    return measure_spectrum(replace(views_of(lambda latents, _: latents, len(values) // 6), values=put(values)))


def put(values):
    return values.reshape(-1, 6, values.shape[-1]).astype(np.float32)


def centred_columns(count=600):
    """Orthogonal columns of length 1 and mean 0."""
    return np.linalg.qr(np.concatenate([np.ones((count, 1)), RNG.normal(size=(count, WIDTH))], axis=1))[0][:, 1:]


def test_isotropic_features_use_every_dimension():
    found = measure(centred_columns())
    assert found["rankme"] == pytest.approx(WIDTH, rel=1e-4)
    assert found["participation_ratio"] == pytest.approx(WIDTH, rel=1e-4)
    assert found["alpha_req"] == pytest.approx(0, abs=1e-4)


def test_isotropic_noise_uses_what_its_views_can_show():
    """The mean square of the eigenvalues of Marchenko and Pastur is 1 + width / views."""
    count = 24 * WIDTH
    variances = spectra(replace(views_of(lambda x, _: x, count // 6), values=put(RNG.normal(size=(count, WIDTH)))))[1]
    assert participation_ratio(variances) == pytest.approx(WIDTH / (1 + WIDTH / count), rel=0.01)


@pytest.mark.parametrize("alpha", [0.5, 1.0, 2.0])
def test_the_exponent_of_a_power_law_is_found(alpha):
    found = measure(centred_columns() * np.arange(1, WIDTH + 1) ** (-alpha / 2) + 0.1)
    assert found["alpha_req"] == pytest.approx(alpha, abs=1e-3)


def test_one_direction_counts_one():
    direction = RNG.normal(size=(1, 20))
    found = measure(RNG.normal(size=(60, 1)) @ direction)
    assert found["rankme"] == pytest.approx(1, abs=1e-4) and found["participation_ratio"] == pytest.approx(1, abs=1e-4)
    assert "alpha_req" not in found  # there are no ten variances to fit


def test_the_mean_counts_for_rankme_alone():
    values = centred_columns()[:, :2]
    still, moved = measure(values), measure(values + 1)
    assert moved["participation_ratio"] == pytest.approx(still["participation_ratio"], rel=1e-3) == pytest.approx(2)
    assert moved["rankme"] < 1.5 < still["rankme"]


@pytest.mark.parametrize("level", [0.0, 1.0])
def test_a_collapsed_representation_has_no_dimension(level):
    found = measure(level + 1e-8 * level * RNG.normal(size=(60, 4)))
    assert found == {"rankme": pytest.approx(level, abs=1e-3), "participation_ratio": 0}


def test_fewer_views_are_drawn_for_each_object_and_always_the_same():
    views = views_of(lambda latents, _: latents, 10)
    assert views.thin(60) is views and views.thin(3).num_views == 1
    few = views.thin(35)
    assert few.values.shape[:2] == (10, 3) and (few.values == few.latents.astype(np.float32)).all()
    places = (few.latents[:, :, None] == views.latents[:, None]).all(-1).argmax(-1)
    assert (np.diff(places, axis=1) > 0).all(), "views are in their order, each once"
    assert len(np.unique(places, axis=0)) > 3 and (views.thin(35).latents == few.latents).all()

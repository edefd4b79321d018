"""DCI where it is known, and the lasso behind it."""

import numpy as np
import pytest
import torch
from known_views import SPACE, TRAIN, views_of
from scipy.stats import entropy, ortho_group

from iebench.errors import UsageError
from iebench.evals import Context, EvalSettings, Model
from iebench.evals.disentanglement import completeness, disentanglement
from iebench.evals.factor_regression import AllFactors
from iebench.evals.lasso import fit_lasso
from iebench.evals.tasks.dci import Disentanglement

RNG = np.random.default_rng(5)
TASK = AllFactors(SPACE)
FACTORS = TASK.columns_of


def encode(latents, _=None):
    """All factors: circular ones by cosine and sine, others as they are."""
    return TASK.relate(latents.reshape(-1, 1, 7)).reshape(*latents.shape[:2], -1)


def run(make, parts=None, ood=None):
    """All that is found of a representation by a function of latents and of a generator."""
    tests = {"": views_of(make, 30, TRAIN)} | ({} if ood is None else {"ood/": views_of(ood, 30, TRAIN)})
    context = Context(views_of(make), tests, Model(len, parts=parts or {}), EvalSettings(draws=0))
    return {one.key: one.value for one in Disentanglement().run(context)}


def scores(make):
    return tuple(run(make)[f"dci/whole/{name}"] for name in ("disentanglement", "completeness", "informativeness"))


def test_the_factors_themselves_score_exactly_1():
    found = scores(lambda latents, _: 3 + encode(latents) * np.arange(1, 11))  # in any scale
    assert found[:2] == (1.0, 1.0)
    assert found[2] == pytest.approx(1 - 0.01**2, abs=1e-4)  # what the penalty costs


def test_a_circular_factor_is_complete_from_any_angle_on():
    def make(latents, _):
        values = encode(latents)
        columns = FACTORS["floor_hue"]
        turn = np.array([[0.6, -0.8], [0.8, 0.6]])
        values[..., columns] = values[..., columns] @ turn
        return values

    assert scores(make)[:2] == (1.0, pytest.approx(1, abs=0.01))


def test_mixed_factors_are_informative_and_not_disentangled():
    mixing = ortho_group.rvs(10, random_state=0)
    found = scores(lambda latents, _: encode(latents) @ mixing)
    assert found[2] > 0.99 and max(found[:2]) < 0.5


def test_noise_and_a_collapsed_representation_score_nothing():
    assert max(scores(lambda latents, rng: np.ones((*latents.shape[:2], 3)))) == 0
    assert abs(scores(lambda latents, rng: rng.normal(size=(*latents.shape[:2], 3)))[2]) < 0.05


def test_importance_is_found_in_the_part_that_has_it():
    parts = {"front": slice(0, 3), "back": slice(3, 10)}
    found = run(encode, parts, ood=lambda latents, rng: rng.normal(size=(*latents.shape[:2], 10)))
    shares = found["dci/importance_by_part"]
    assert {factor for factor in FACTORS if shares["front"][factor]["share"] == 1} == set(list(FACTORS)[:3])
    assert {factor for factor in FACTORS if shares["back"][factor]["share"] == 1} == set(list(FACTORS)[3:])
    assert found["dci/front/informativeness"] < 0.5
    assert found["ood/dci/whole/informativeness"] < 0 < found["dci/whole/informativeness"]
    assert found["dci/settings"] == {"penalty": 0.01, "training_views": 360}


def test_the_scores_are_those_of_the_paper():
    importances = RNG.exponential(size=(6, 4))
    of_codes = [1 - entropy(row, base=4) for row in importances]
    assert disentanglement(importances) == pytest.approx(np.average(of_codes, weights=importances.sum(1)))
    of_factors = [1 - entropy(column, base=6) for column in importances.T]
    assert completeness(importances, [1] * 4) == pytest.approx(np.mean(of_factors))
    assert disentanglement(np.ones((6, 4))) == pytest.approx(0) == completeness(np.ones((6, 4)), [1] * 4)


def test_the_lasso_of_uncorrelated_inputs_is_shrunken_least_squares():
    moment = torch.from_numpy(RNG.normal(size=(5, 2)))
    scale = torch.tensor([1.0, 2.0, 0.5, 4.0, 1.0]).double()
    expected = moment.sign() * (moment.abs() - 0.3).clamp(min=0) / scale[:, None]
    torch.testing.assert_close(fit_lasso(torch.diag(scale), moment, 0.3), expected, atol=1e-5, rtol=0)


def test_the_lasso_is_optimal():
    inputs = RNG.normal(size=(200, 12)) @ RNG.normal(size=(12, 12))
    targets = inputs @ RNG.normal(size=(12, 3)) + RNG.normal(size=(200, 3))
    gram, moment = (torch.from_numpy(inputs.T @ other / 200) for other in (inputs, targets))
    weights = fit_lasso(gram, moment, 2.0)
    slope = moment - gram @ weights  # what the penalty holds against
    active = weights != 0
    assert 0 < active.sum() < active.numel()
    torch.testing.assert_close(slope[active], 2.0 * weights[active].sign(), atol=1e-2, rtol=0)
    assert slope[~active].abs().max() <= 2.0 + 1e-2


@pytest.mark.parametrize("penalty", [0.0, -1.0, float("nan")])
def test_a_penalty_that_is_none_is_refused(penalty):
    with pytest.raises(UsageError, match="above 0"):
        Disentanglement(penalty)

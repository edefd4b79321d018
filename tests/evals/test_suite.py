"""Known scores of the whole evaluation, on images that are their latents."""

import json

import numpy as np
import pytest
import torch

from iebench.errors import UsageError
from iebench.evals import EvalSettings, Model, ProbeSettings, probe_task, run_suite
from iebench.evals.probe_fitting import fit_probe
from iebench.evals.results import Results
from iebench.evals.retrieval import compose_quaternions
from iebench.factors.rotations import euler_to_quaternion

QUICK = EvalSettings(probes=ProbeSettings(epochs=20, batch_size=16, lr=5e-3), draws=20)


@pytest.fixture
def ground_truth(read_latents, read_labels):
    """Quaternions, latents and one-hot labels."""

    def represent(images):
        latents = read_latents(images).float()
        quaternions = torch.from_numpy(euler_to_quaternion(latents[:, :3].double().numpy())).float()
        return torch.cat([quaternions, latents, torch.eye(55)[read_labels(images)]], dim=1)

    return Model(
        represent,
        embed=lambda vectors: vectors[:, :4],
        predict=compose_quaternions,
        parts={"invariant": slice(11, 66), "equivariant": slice(0, 11)},
    )


def blind(images):
    return torch.ones(len(images), 4)


def test_a_part_that_is_the_whole_is_not_learned_twice(fake, read_latents, monkeypatch):
    widths = []

    def fit(task, train, *told):
        widths.append(train.values.shape[-1])
        return fit_probe(task, train, *told)

    monkeypatch.setattr(probe_task, "fit_probe", fit)
    parts = {"equivariant": slice(0, 7), "front": slice(0, 3)}
    model = Model(lambda images: read_latents(images).float(), parts=parts)
    settings = EvalSettings(probes=ProbeSettings(epochs=1, batch_size=16), seeds=(0, 1), draws=5, baselines=())
    results = run_suite(model, fake(num_train=16, num_val=8), ("rotation",), settings)
    assert widths == [7, 7, 3, 3]
    whole, part, front = (results.scores.scores[f"rotation/{name}/r2_uniform"] for name in ("whole", *parts))
    assert whole == part != front
    assert len(whole.values) == 2
    curve, same = (results.details[f"rotation/{name}/degrees_by_angle"] for name in ("whole", "equivariant"))
    assert curve == same


@pytest.mark.slow
def test_ground_truth_is_right(fake, ground_truth):
    settings = EvalSettings(probes=ProbeSettings(epochs=40, batch_size=64), draws=20, baselines=("constant",))
    tasks = ("classification", "rotation", "factors", "retrieval", "predictor")
    results = run_suite(ground_truth, fake(num_train=640, num_val=60), tasks, settings)
    assert results.get("classification/invariant/top1") == 1
    assert results.get("classification/equivariant/top1") < 0.6
    assert results.get("rotation/equivariant/r2_pooled") > 0.99
    assert results.get("rotation/equivariant/r2_uniform") > 0.98
    assert results.get("rotation/equivariant/median_degrees") < 8
    assert results.get("rotation/invariant/r2_uniform") < 0.05
    assert results.get("retrieval/val-val/mrr") > 0.999
    assert results.get("retrieval/val-val/pre") < 1e-4
    assert results.details["factors"]["equivariant"]["rotation_x"]["linear"] > 0.99
    assert results.details["factors"]["invariant"]["rotation_x"]["mlp"] < 0.1
    laws = results.details["predictor"]["group_laws"]
    assert max(laws[name] for name in ("identity", "inverse", "composition", "prediction")) < 1e-5
    assert laws["motion"] == pytest.approx(laws["spread"], abs=1e-5)
    assert laws["spread"] > 0.1


@pytest.mark.slow
def test_a_blind_backbone_scores_chance(fake):
    model = Model(blind, embed=lambda x: x, predict=lambda embedding, transform: embedding)
    tasks = ("classification", "rotation", "retrieval")
    results = run_suite(model, fake(num_train=200, num_val=200, num_views=50), tasks, QUICK)
    assert results.get("classification/whole/top1") == pytest.approx(0.2, abs=0.02)
    assert results.get("rotation/whole/r2_pooled") == pytest.approx(0.229, abs=0.02)
    assert results.get("rotation/whole/r2_uniform") == pytest.approx(0, abs=0.02)
    assert results.get("retrieval/val-val/mrr") == pytest.approx(0.090, abs=5e-4)
    assert results.get("retrieval/val-val/hit_at_1") == pytest.approx(0.02)
    assert results.get("retrieval/val-val/hit_at_5") == pytest.approx(0.10)
    constant = results.baselines["constant"]
    assert constant.scores["rotation/whole/r2_uniform"].mean == pytest.approx(0, abs=0.01)
    assert constant.scores["rotation/identity/median_degrees"].mean == pytest.approx(110.3, abs=3)
    assert constant.scores["retrieval/val-val/mrr"].mean == pytest.approx(results.get("retrieval/val-val/mrr"))
    assert constant.scores["retrieval/val-val/pre"].mean == pytest.approx(
        results.get("retrieval/val-val/pre"), abs=1e-3
    )


def quick_suite(dataset, ground_truth, tasks=("classification", "rotation", "retrieval")):
    settings = EvalSettings(seeds=(0, 1), probes=ProbeSettings(epochs=2, batch_size=16), draws=5)
    return run_suite(ground_truth, dataset, tasks, settings)


@pytest.mark.slow
def test_the_same_seeds_give_the_same_file(fake, ground_truth, tmp_path):
    for number, batch_size in enumerate((33, 33, 5)):
        quick_suite(fake(batch_size=batch_size), ground_truth).write(tmp_path / f"{number}.json")
    first, again, other_batches = ((tmp_path / f"{number}.json").read_text() for number in range(3))
    assert first == again == other_batches


def test_results_come_back_from_their_file(fake, ground_truth, tmp_path):
    results = quick_suite(fake(), ground_truth)
    results.write(tmp_path / "results.json")
    again = Results.read(tmp_path)
    assert again.scores.to_json() == results.scores.to_json()
    score = again.scores.scores["rotation/whole/r2_pooled"]
    assert len(score.values) == 2
    assert score.std == pytest.approx(np.std(score.values, ddof=1))
    assert score.low <= score.values[0] <= score.high
    assert json.loads((tmp_path / "results.json").read_text())["protocol"]["seeds"] == [0, 1]


def test_every_image_is_seen_once(fake, ground_truth):
    dataset = fake()
    quick_suite(dataset, ground_truth)
    assert dataset.passes == 2


def test_probes_of_another_factor_space_are_scored_too(fake, ground_truth):
    settings = EvalSettings(probes=ProbeSettings(epochs=2, batch_size=16), draws=5)
    results = run_suite(
        ground_truth, fake(), ("rotation", "retrieval"), settings, ood=fake(space="ood-rotation", seed=1)
    )
    assert results.get("ood/rotation/whole/r2_pooled") != results.get("rotation/whole/r2_pooled")
    assert results.get("ood/retrieval/val-val/mrr") > 0.99
    assert results.data["ood"]["space"]["name"] == "ood-rotation"


def test_another_dataset_of_single_views_has_no_scores_of_pairs(fake, ground_truth):
    settings = EvalSettings(baselines=(), draws=0)
    found = run_suite(ground_truth, fake(), "predictor,retrieval", settings, ood=fake(num_views=1, seed=1))
    assert "predictor" in found.details and "ood/predictor" not in found.details


def test_translation_is_asked_in_both_frames_only_where_there_is_one(fake):
    settings = EvalSettings(probes=ProbeSettings(epochs=1), draws=2)
    tasks = ("translation", "translation-world", "rotation")
    moved = run_suite(blind, fake(space="3diebench-t"), tasks, settings)
    assert "translation/whole/r2_uniform" in moved.scores.scores
    assert "translation-world/whole/r2_uniform" in moved.scores.scores
    still = run_suite(blind, fake(), tasks, settings)
    assert not [key for key in still.scores.scores if key.startswith("translation")]


def test_an_unknown_task_is_named(fake):
    with pytest.raises(UsageError, match="'rotaton'"):
        run_suite(blind, fake(), ("rotaton",))

import numpy as np
import pytest
import torch

from iebench.evals.baselines import represent_by_latents
from iebench.evals.representations import extract
from iebench.evals.retrieval import Retrieval, chance_measures, compose_quaternions, nearest_errors, rank_chances
from iebench.factors.rotations import euler_to_quaternion


def values(measures):
    return {measure.name: measure.value for measure in measures}


def quaternions_of(images, read_latents):
    return torch.from_numpy(euler_to_quaternion(read_latents(images)[:, :3].numpy())).float()


def test_ranks_by_hand():
    similarity = torch.tensor([[[0.9, 0.5, 0.1], [0.8, 0.4, 0.2], [0.3, 0.3, 0.1]]])
    reciprocal, hits = rank_chances(similarity)
    assert reciprocal.tolist() == [[1.0, 0.5, pytest.approx(1 / 3)]]
    assert hits[1].tolist() == [[1, 0, 0]]
    assert hits[2].tolist() == [[1, 1, 0]]


def test_ties_count_by_their_chance():
    similarity = torch.tensor([[[0.5, 0.5], [0.2, 0.5]]])
    reciprocal, hits = rank_chances(similarity)
    assert reciprocal.tolist() == [[0.75, 1.0]]
    assert hits[1].tolist() == [[0.5, 1.0]]


def test_a_collapsed_embedding_scores_chance():
    reciprocal, hits = rank_chances(torch.ones(2, 50, 50))
    assert reciprocal.mean().item() == pytest.approx(0.090, abs=5e-4)
    assert hits[1].mean().item() == pytest.approx(0.02)
    assert hits[5].mean().item() == pytest.approx(0.10)


def test_nearest_errors_by_hand_over_blocks():
    queries = torch.tensor([[1.0, 0.0], [0.0, 1.0]])
    rotations = torch.tensor([[0.0, 0, 0, 1], [1.0, 0, 0, 0]])
    vectors = torch.tensor([[0.8, 0.6], [1.0, 0.0], [0.0, 1.0]])
    found = torch.tensor([[1.0, 0, 0, 0], [0.0, 0, 0.6, 0.8], [1.0, 0, 0, 0]])

    def candidates(size):
        return lambda: zip(vectors.split(size), found.split(size), strict=True)

    for size in (1, 2, 3):
        assert nearest_errors(queries, rotations, candidates(size)).tolist() == pytest.approx([1 - 0.64, 0])


def test_equally_near_candidates_share_the_error_also_across_blocks():
    query, rotation = torch.tensor([[1.0, 0.0]]), torch.tensor([[0.0, 0, 0, 1]])
    vectors = torch.tensor([[1.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 0.0]])
    found = torch.tensor([[0.0, 0, 0, 1], [0.0, 0, 0, 1], [1.0, 0, 0, 0], [0.0, 1, 0, 0]])
    for size in (1, 2, 4):
        blocks = list(zip(vectors.split(size), found.split(size), strict=True))
        assert nearest_errors(query, rotation, lambda blocks=blocks: iter(blocks)).item() == pytest.approx(2 / 3)


def test_ground_truth_finds_every_view(fake, read_latents):
    dataset = fake(num_val=12, num_views=50)
    found = extract(lambda images: quaternions_of(images, read_latents), dataset, "val", embed=lambda x: x)
    scores = values(Retrieval(compose_quaternions).ranks(found))
    assert scores["mrr"] > 0.999
    assert scores["hit_at_1"] > 0.999
    assert Retrieval(compose_quaternions).rotation_error(found, [found]).value < 1e-4


@pytest.mark.parametrize("kind", ["random", "constant"])
def test_a_blind_embedding_scores_chance(fake, kind):
    dataset = fake(num_val=40, num_views=50)
    generator = torch.Generator().manual_seed(0)

    def represent(images):
        return torch.randn(len(images), 32, generator=generator) if kind == "random" else torch.ones(len(images), 32)

    def predict(embedding, transform):
        return torch.randn(embedding.shape, generator=generator) if kind == "random" else embedding

    found = extract(represent, dataset, "val", embed=lambda x: x)
    scores = values(Retrieval(predict).ranks(found))
    slack = 0.02 if kind == "random" else 1e-6
    chance = values(chance_measures(found))
    for name in ("mrr", "hit_at_1", "hit_at_5"):
        assert scores[name] == pytest.approx(chance[name], abs=slack)
    assert chance["mrr"] == pytest.approx(0.090, abs=5e-4)
    error = Retrieval(predict).rotation_error(found, [found]).value
    assert error == pytest.approx(chance["pre"], abs=slack if kind == "random" else 1e-4)


def test_block_sizes_change_nothing(fake, read_latents):
    found = extract(lambda images: quaternions_of(images, read_latents), fake(), "val")

    def predict(embedding, transform):
        return torch.from_numpy(np.roll(embedding.numpy(), 1, axis=1).copy())

    whole = Retrieval(predict).rotation_error(found, [found]).value
    assert Retrieval(predict).rotation_error(found, [found], block=30).value == pytest.approx(whole, abs=1e-6)
    one, many = (values(Retrieval(predict).ranks(found, block)) for block in (1, 64))
    assert one == pytest.approx(many, abs=1e-6)


def test_ground_truth_representations_are_quaternions_and_latents(fake, read_latents):
    found = extract(read_latents, fake(), "val")
    assert represent_by_latents(found).values.shape[-1] == 11


def test_a_predictor_may_answer_in_memory_where_all_else_is_on_a_device(fake, read_latents):
    found = extract(lambda images: quaternions_of(images, read_latents), fake(), "val")
    retrieval = Retrieval(lambda embedding, _transform: np.ones(embedding.shape, np.float32), device="meta")
    # as the candidates are, with which they are compared
    assert retrieval.predictions(found, slice(2)).device.type == "meta"

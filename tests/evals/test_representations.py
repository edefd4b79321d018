import numpy as np
import pytest
import torch

from iebench.errors import IebenchError
from iebench.evals.representations import cache_key, extract


def test_every_view_is_represented_once_and_in_order(fake, read_latents):
    dataset = fake()
    for split in ("train", "val"):
        found = extract(read_latents, dataset, split)
        assert np.array_equal(found.values, dataset.latents[dataset.split_indices(split)].astype(np.float32))
    assert dataset.passes == 2


def test_batch_sizes_of_the_source_do_not_reach_the_backbone(fake, read_latents):
    seen = {}
    for batch_size in (1, 7, 16, 50):
        sizes = seen[batch_size] = []
        extract(
            lambda images, s=sizes: (s.append(len(images)), read_latents(images))[1],
            fake(batch_size=batch_size),
            "val",
            batch_size=16,
        )
    assert len({tuple(sizes) for sizes in seen.values()}) == 1
    assert set(seen[7][:-1]) == {16}


def test_the_cache_is_read_and_an_interrupted_pass_is_continued(fake, read_latents, tmp_path):
    dataset = fake()
    calls = []

    def represent(images):
        calls.append(len(images))
        if len(calls) == 40:
            raise KeyboardInterrupt
        return read_latents(images)

    with pytest.raises(KeyboardInterrupt):
        extract(represent, dataset, "val", folder=tmp_path, batch_size=4)
    interrupted = sum(calls[:-1])
    found = extract(represent, dataset, "val", folder=tmp_path, batch_size=4)
    again = interrupted + sum(calls[40:]) - 200
    assert 0 < again < interrupted, "the pass began anew"
    assert np.array_equal(found.values, extract(read_latents, fake(), "val").values)
    passes = dataset.passes
    cached = extract(represent, dataset, "val", folder=tmp_path, batch_size=4)
    assert dataset.passes == passes
    assert isinstance(cached.values.base, np.memmap) or isinstance(cached.values, np.memmap)


def test_embeddings_are_of_the_representations(fake, read_latents, tmp_path):
    found = extract(read_latents, fake(), "val", embed=lambda x: 2 * x[:, :3], folder=tmp_path)
    assert np.array_equal(found.embeddings, 2 * found.values[..., :3])


def test_half_precision_takes_half_the_space(fake, read_latents, tmp_path):
    extract(read_latents, fake(), "val", folder=tmp_path / "whole")
    extract(read_latents, fake(), "val", folder=tmp_path / "half", dtype="float16")
    whole, half = ((tmp_path / name / "val.npy").stat().st_size - 128 for name in ("whole", "half"))
    assert half * 2 == whole


def test_keys_tell_weights_data_and_settings_apart(fake):
    dataset = fake()
    keys = {cache_key("a", dataset, {}), cache_key("b", dataset, {}), cache_key("a", dataset, {"dtype": "float16"})}
    dataset.identity = "other"
    assert len(keys | {cache_key("a", dataset, {})}) == 4


@pytest.mark.parametrize(
    ("represent", "words"),
    [
        (lambda images: torch.zeros(len(images)), "shape"),
        (lambda images: torch.zeros(1, 4), "shape"),
        (lambda images: torch.full((len(images), 2), float("nan")), "finite"),
        (lambda images: torch.full((len(images), 2), 1e300, dtype=torch.float64), "finite"),
        (lambda images: np.full((len(images), 2), 1e300), "finite"),
        (lambda images: np.full((len(images), 2), None), "real numbers"),
        (lambda images: torch.zeros(len(images), 0), "shape"),
    ],
)
def test_what_is_no_representation_is_refused(fake, represent, words):
    with pytest.raises(IebenchError, match=words):
        extract(represent, fake(), "val")


@pytest.mark.parametrize(
    "kind",
    [
        lambda a: a[:, ::-1],
        lambda a: a.astype(">f8"),
        lambda a: a.astype(np.longdouble),
        lambda a: np.asfortranarray(a),
    ],
)
def test_arrays_of_numpy_may_lie_in_memory_as_they_like(fake, kind):
    def represent(images):
        return images.flatten(1)[:, 30:40].numpy()

    found, plain = (
        extract(function, fake(), "val").values for function in (lambda x: kind(represent(x)), lambda x: represent(x))
    )
    assert np.array_equal(found, kind(plain.reshape(-1, 10)).reshape(plain.shape))


@pytest.mark.parametrize("kept", [False, True])
@pytest.mark.parametrize("change", [lambda rows: rows[:-3], lambda rows: torch.cat([rows, rows])])
def test_images_that_are_not_one_for_each_view_are_refused(fake, read_latents, tmp_path, change, kept):
    """Twice as many would be taken for representations of twice the width."""
    dataset = fake()
    rows = change(torch.cat(list(dataset.images("val"))))
    dataset.images = lambda split, start=0: iter(rows[start:].split(64))
    with pytest.raises(IebenchError, match="images for its 200 val views"):
        extract(read_latents, dataset, "val", folder=tmp_path if kept else None)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize("change", [lambda b: b.float(), lambda b: b[:, :1], lambda b: b.numpy(), lambda b: b[0]])
def test_what_is_no_image_is_refused(fake, read_latents, change):
    dataset = fake()
    batches = list(dataset.images("val"))
    dataset.images = lambda split, start=0: map(change, batches)
    with pytest.raises(IebenchError, match="uint8 tensors"):
        extract(read_latents, dataset, "val")


def test_embeddings_may_be_made_of_the_images(fake, read_latents, tmp_path):
    dataset = fake()
    found = extract(read_latents, dataset, "val", lambda images: -read_latents(images), True, tmp_path)
    assert np.array_equal(found.embeddings, -found.values) and dataset.passes == 2

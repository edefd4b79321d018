"""Pairs and views: the right images, the right transforms, the right order, from any number of workers."""

import json
import os
import pickle
import re
from multiprocessing.reduction import ForkingPickler
from pathlib import Path

import numpy as np
import pytest
import simplejpeg
import torch
from PIL import Image
from scipy.spatial.transform import Rotation
from torch.utils.data import DataLoader

from iebench import PairDataset
from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError, UsageError
from iebench.loader.batches import BatchRequest
from iebench.loader.buffers import OWN_MEMORY
from iebench.loader.views import ViewDataset


def equal(first, second):
    return all(torch.equal(a, b) for a, b in zip(first, second, strict=True))


def test_a_pair_is_what_the_files_hold(drawn_dataset):
    pairs = PairDataset(drawn_dataset, seed=5)
    dataset = Dataset(drawn_dataset)
    assert len(pairs) == dataset.card.splits["train"].objects
    for pair in pairs:
        index, (source, target) = int(pair.object_index), pair.views.tolist()
        assert source != target
        for image, view in ((pair.source, source), (pair.target, target)):
            expected = simplejpeg.decode_jpeg(dataset.read_jpeg(index, view))
            assert image.dtype == torch.uint8 and image.shape == (3, 32, 32)
            np.testing.assert_array_equal(image.permute(1, 2, 0).numpy(), expected)
        rotations = Rotation.from_euler("xyz", dataset.latents[index, [source, target], :3])
        expected = (rotations[0].inv() * rotations[1]).as_quat().astype(np.float32)
        np.testing.assert_allclose(pair.transform.numpy(), expected, atol=1e-6)
        assert pair.label == dataset.labels[index]


def test_pairs_change_with_epoch_and_seed_only(drawn_dataset):
    pairs = PairDataset(drawn_dataset)
    items = np.arange(len(pairs))
    first = pairs.read_batch(items, 0).views
    assert torch.equal(first, PairDataset(drawn_dataset).read_batch(items, 0).views)
    assert not torch.equal(first, pairs.read_batch(items, 1).views)
    assert not torch.equal(first, PairDataset(drawn_dataset, seed=1).read_batch(items, 0).views)


def test_transforms_are_the_parts_asked_for(make_dataset):
    dataset = make_dataset("moved", space="3diebench-t")
    names = dataset.space.names

    def read(transform, **settings):
        pairs = PairDataset(dataset.root, transform=transform, **settings)
        batch = pairs.read_batch(np.arange(len(pairs)))
        assert batch.transform.shape == (len(pairs), pairs.transform_size) and batch.transform.dtype == torch.float32
        latents = dataset.latents[batch.object_index[:, None], batch.views]
        return batch.transform.numpy(), latents[:, 0], latents[:, 1]

    color, source, target = read("rotation+color")
    assert color.shape[1] == 6
    np.testing.assert_allclose(color[:, 4:], (target - source)[:, [3, 6]], atol=1e-6)
    everything, source, target = read("all")
    assert everything.shape[1] == 4 + 3 + 4
    np.testing.assert_allclose(everything[:, 4:7], (target - source)[:, 7:], atol=1e-6)
    base, source, target = read("translation", translation_frame="base")
    turn = [Rotation.from_euler("xyz", latents[:, :3]) for latents in (source, target)]
    np.testing.assert_allclose(base, turn[1].apply(target[:, 7:]) - turn[0].apply(source[:, 7:]), atol=1e-6)
    listed, source, target = read(["floor_hue", "light_theta"])
    np.testing.assert_allclose(listed, (target - source)[:, [names.index("floor_hue"), 4]], atol=1e-6)
    own, source, target = read(lambda source, target: target * 2 - source)
    np.testing.assert_allclose(own, target * 2 - source, atol=1e-6)
    for form, size in {"matrix": 9, "6d": 6, "euler": 3, "rotation-vector": 3}.items():
        assert read("rotation", rotation_format=form)[0].shape[1] == size
    assert (read("rotation", canonical=True)[0][:, 3] >= 0).all()


def test_more_views_are_further_targets_of_the_one_source(drawn_dataset):
    pairs = PairDataset(drawn_dataset, num_views=4)
    two = PairDataset(drawn_dataset)
    batch, short = pairs.read_batch(np.arange(5)), two.read_batch(np.arange(5))
    assert batch.target.shape == (5, 3, 3, 32, 32) and batch.transform.shape == (5, 3, 4)
    assert torch.equal(batch.source, short.source) and torch.equal(batch.target[:, 0], short.target)
    assert torch.equal(batch.transform[:, 0], short.transform)
    assert all(sorted(views) == [0, 1, 2, 3] for views in batch.views.tolist())


def test_reduced_sizes_are_the_decoders_or_pillows(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    for size, scaled in ((16, 16), (12, 12), (10, 12), (32, 32)):
        view = ViewDataset(drawn_dataset, "all", size)[5]
        jpeg = dataset.read_jpeg(1, 1)
        expected = Image.fromarray(simplejpeg.decode_jpeg(jpeg, min_height=scaled, min_width=scaled))
        expected = expected.resize((size, size), Image.Resampling.BILINEAR)
        np.testing.assert_array_equal(view.image.permute(1, 2, 0).numpy(), np.asarray(expected))
    with pytest.raises(UsageError, match=r"size=33 is not within the 32 pixels .*: give 1 to 32, or .*--size 0"):
        ViewDataset(drawn_dataset, "all", 33)


def test_swapped_channels_are_put_right(make_dataset):
    dataset = make_dataset()
    right = ViewDataset(dataset.root)[3].image
    card = dataset.root / "dataset.json"
    card.write_text(card.read_text().replace('"channels": "rgb"', '"channels": "bgr"'))
    assert torch.equal(ViewDataset(dataset.root)[3].image, right.flip(0))


def test_views_come_once_and_in_order(drawn_dataset):
    views = ViewDataset(drawn_dataset, "val")
    batches = list(views.loader(3, 0))
    found = [(int(o), int(v)) for b in batches for o, v in zip(b.object_index, b.view, strict=True)]
    assert found == [(o, v) for o in Dataset(drawn_dataset).split_indices("val") for v in range(4)]
    assert len(views) == len(found) and len(batches) == -(-len(found) // 3)
    assert all(torch.equal(batches[2].image[0], view) for view in [views[6].image])


def test_a_loader_reads_whole_epochs_in_new_orders(drawn_dataset):
    pairs = PairDataset(drawn_dataset)
    loader = pairs.loader(5, 0)
    orders = [torch.cat([batch.object_index for batch in loader]).tolist() for _ in range(3)]
    assert all(sorted(order) == pairs.objects.tolist() for order in orders)
    assert orders[0] != orders[1] != orders[2] and loader.epoch == 3
    loader.set_epoch(1)
    assert torch.cat([batch.object_index for batch in loader]).tolist() == orders[1]


def test_a_loop_left_early_begins_its_epoch_again(drawn_dataset):
    loader = PairDataset(drawn_dataset).loader(5, 0)
    peeked = next(iter(loader))
    assert equal(next(iter(loader)), peeked) and loader.epoch == 0


def test_batches_that_are_kept_are_never_written_over(drawn_dataset):
    loader = PairDataset(drawn_dataset).loader(2, 0)
    kept = [batch for _ in range(4) for batch in loader]
    sums = [int(batch.source.long().sum()) for batch in kept]
    list(loader), list(loader)
    assert sums == [int(batch.source.long().sum()) for batch in kept]
    part = kept[0].target[1, :, 3:7]
    before = part.clone()
    del kept
    list(loader), list(loader)
    assert torch.equal(part, before)


def test_pinned_batches_are_copies_whose_buffers_are_free_at_once(drawn_dataset, monkeypatch):
    monkeypatch.setattr(torch.Tensor, "pin_memory", torch.Tensor.clone)  # there may be no GPU to pin memory for
    pairs = PairDataset(drawn_dataset)
    pinned = [list(pairs.loader(2, 0, pin_memory=pin)) for pin in (True, False)]
    assert all(equal(a, b) for a, b in zip(*pinned, strict=True))


def test_memory_of_batches_is_used_again(drawn_dataset):
    loader = PairDataset(drawn_dataset).loader(2, 0)
    addresses = {batch.source.data_ptr() for _ in range(5) for batch in loader}
    assert len(addresses) <= 3


@pytest.mark.slow
@pytest.mark.parametrize("context", ["fork", "spawn", "forkserver"])
def test_workers_change_nothing(drawn_dataset, context):
    pairs = PairDataset(drawn_dataset, seed=2)
    alone, helped = pairs.loader(3, 0), pairs.loader(3, 2, multiprocessing_context=context)
    for _ in range(3):
        kept = list(helped)
        assert all(equal(a, b) for a, b in zip(alone, kept, strict=True))
        next(iter(helped))


def test_what_a_worker_sends_is_no_business_of_torch(drawn_dataset):
    """A spawned worker that ends while its sending thread is inside torch is aborted, now and then."""
    reader = PairDataset(drawn_dataset).loader(2, 0).dataset
    for buffer in (0, OWN_MEMORY):
        assert b"torch" not in bytes(ForkingPickler.dumps(reader[BatchRequest(0, np.arange(2), buffer)]))


@pytest.mark.slow
def test_resumed_in_mid_epoch_with_other_workers_the_batches_are_those_of_an_uninterrupted_run(drawn_dataset):
    pairs = PairDataset(drawn_dataset, seed=2)
    whole = pairs.loader(3, 0)
    expected = [batch for _ in range(3) for batch in whole]
    for done in (1, 4, len(whole), len(whole) + 2):
        first = pairs.loader(3, 2)
        batches = (batch for _ in range(3) for batch in first)
        head = [next(batches) for _ in range(done)]
        second = pairs.loader(3, done % 3)
        second.load_state_dict(pickle.loads(pickle.dumps(first.state_dict())))
        tail = []
        while second.epoch < 3:
            tail += list(second)
        assert len(head) == done and all(equal(a, b) for a, b in zip(expected, head + tail, strict=True))


def test_a_second_loop_ends_the_first_one(drawn_dataset):
    """With workers both would be given the batches of one, and neither all of them."""
    loader = PairDataset(drawn_dataset).loader(4, 0)
    first, second = iter(loader), iter(loader)
    next(first), next(second)
    with pytest.raises(UsageError, match="A second `for`"):
        next(first)
    assert len(list(second)) == len(loader) - 1 and loader.epoch == 1


@pytest.mark.usefixtures("unchecked")
def test_a_state_is_plain_whatever_the_numbers_came_as(drawn_dataset):
    loader = PairDataset(drawn_dataset, seed=np.int64(3)).loader(np.int64(4), 0)
    loader.set_epoch(np.int64(2))
    assert json.loads(json.dumps(loader.state_dict())) == PairDataset(drawn_dataset, seed=3).loader(
        4, 0
    ).state_dict() | {"epoch": 2}


def test_a_state_of_other_data_is_refused(drawn_dataset):
    state = PairDataset(drawn_dataset, seed=1).loader(3, 0).state_dict()
    with pytest.raises(UsageError, match="seed=1, and this loader has 2"):
        PairDataset(drawn_dataset, seed=2).loader(3, 0).load_state_dict(state)


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_damage_in_training_is_one_sentence_that_names_it(make_dataset, workers):
    dataset = make_dataset()
    shard = dataset.root / dataset.shards[0]
    os.truncate(shard, shard.stat().st_size // 2)
    try:
        list(PairDataset(dataset.root).loader(4, workers))
        said = "nothing"
    except IebenchError as error:
        said = str(error)
    assert re.fullmatch(r"\S+train-000000\.tar: view \d of \d{8}/object-\d cannot be read.*", said)


def test_torchs_own_loader_works_too(drawn_dataset):
    pairs = PairDataset(drawn_dataset)
    batches = list(DataLoader(pairs, batch_size=4))
    assert sum(len(batch.label) for batch in batches) == len(pairs)
    assert equal(batches[1], pairs.read_batch(np.arange(4, 8)))


def bytes_read():
    """What this process has read, as the kernel counts it."""
    return int(re.search(r"rchar: (\d+)", Path("/proc/self/io").read_text())[1])


def test_an_epoch_reads_the_bytes_of_its_images_and_no_more(make_dataset):
    dataset = make_dataset(num_views=20, size=64)
    loader = PairDataset(dataset.root, "all").loader(5, 0)
    list(loader)  # what is imported meanwhile is read too
    before = bytes_read()
    used = sum(int(dataset.offsets[b.object_index[:, None], b.views, 1].sum()) for b in loader)
    assert used <= bytes_read() - before <= 1.15 * used


@pytest.mark.usefixtures("unchecked")
def test_wrong_arguments_are_named(drawn_dataset):
    for settings, words in (
        ({"split": "test"}, "no split 'test'"),
        ({"transform": "rotation+colour"}, "no transform 'colour'"),
        ({"transform": "translation"}, "no transform 'translation'"),
        ({"rotation_format": "axis"}, "rotation_format='axis'"),
        ({"num_views": 9}, "9 different views"),
        ({"num_views": 1}, "a pair has 2 views"),
        ({"num_views": 2.5}, "num_views=2.5: give a whole number"),
        ({"seed": None}, "seed=None: give a whole number"),
        ({"size": 0}, "size=0"),
        ({"size": "24"}, "size='24': give a whole number"),
        ({"transform": lambda source, target: (target - source)[:, 0]}, "shape \\(1,\\) for 1 pairs"),
    ):
        with pytest.raises(UsageError, match=words):
            PairDataset(drawn_dataset, **settings)
    for settings, words in (
        ({"batch_size": 2.5}, "batch_size=2.5: give a whole number"),
        ({"num_workers": -1}, "num_workers=-1"),
        ({"drop_last": True}, "drop_last= is decided .* last=.drop."),
        ({"sampler": [1]}, "sampler= is decided"),
    ):
        with pytest.raises(UsageError, match=words):
            PairDataset(drawn_dataset).loader(**{"num_workers": 0, **settings})
    with pytest.raises(UsageError, match="shape \\(1, 7\\) for 3 pairs"):
        PairDataset(drawn_dataset, transform=lambda source, target: (target - source)[:1]).read_batch(np.arange(3))
    with pytest.raises(UsageError, match="max_objects=0"):
        ViewDataset(drawn_dataset, max_objects=0)
    with pytest.raises(IndexError):
        PairDataset(drawn_dataset)[10_000]

"""Streams: every object once, however many read; and webdataset itself reads our shards."""

import gc
import os
from itertools import islice

import numpy as np
import pytest
import simplejpeg
import torch
import webdataset

from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError, UsageError
from iebench.loader.order import divide_shards
from iebench.loader.pairs import PairDataset
from iebench.loader.stream import PairStream


def test_sweep_every_sample_goes_to_exactly_one_consumer():
    for shards in range(1, 9):
        for consumers in range(1, 13):
            for epoch in range(3):
                got = [divide_shards(shards, consumers, consumer, 1, epoch) for consumer in range(consumers)]
                for shard in range(shards):
                    samples = [
                        i for parts in got for p in parts if p.shard == shard for i in range(p.part, 20, p.parts)
                    ]
                    assert sorted(samples) == list(range(20))
                assert len({len(parts) for parts in got}) == 1


def read_epoch(stream):
    return torch.cat([batch.object_index for batch in stream]).tolist()


@pytest.mark.parametrize(("ranks", "workers"), [(1, 0), (2, 0), (7, 0), (1, 2), (3, 2)])
@pytest.mark.slow
def test_all_ranks_and_workers_read_each_object_k_times(drawn_dataset, ranks, workers):
    objects = Dataset(drawn_dataset).split_indices("train").tolist()
    streams = [
        PairStream(drawn_dataset, batch_size=3, pairs_per_object=2, rank=rank, num_ranks=ranks) for rank in range(ranks)
    ]
    loaders = [stream.loader(workers) for stream in streams]
    epochs = [[index for loader in loaders for index in read_epoch(loader)] for _ in range(2)]
    assert all(sorted(epoch) == sorted(objects * 2) for epoch in epochs)
    assert epochs[0] != epochs[1]


@pytest.mark.parametrize(("workers", "settings"), [(0, {}), (1, {}), (1, {"persistent_workers": True})])
@pytest.mark.slow
def test_each_pass_of_a_loader_is_the_next_epoch_however_far_the_one_before_went(drawn_dataset, workers, settings):
    def pairs(loader, count=None):
        return [(*batch.object_index.tolist(), *batch.views.flatten().tolist()) for batch in islice(loader, count)]

    stream = PairStream(drawn_dataset, batch_size=4)
    expected = []
    for epoch in range(3):
        stream.epoch = epoch
        expected.append(pairs(stream))
    assert len({str(epoch) for epoch in expected}) == 3
    loader = PairStream(drawn_dataset, batch_size=4).loader(workers, **settings)
    assert [pairs(loader, 2), pairs(loader, 1), pairs(loader)] == [expected[0][:2], expected[1][:1], expected[2]]
    loader.set_epoch(1)
    assert [pairs(loader), pairs(loader)] == expected[1:]


def test_a_streamed_pair_is_what_the_dataset_holds(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    batches = list(PairStream(drawn_dataset, "val", "rotation+color", seed=3, batch_size=4))
    pairs = PairDataset(drawn_dataset, "val", "rotation+color", seed=3)
    expected = {int(pair.object_index): pair for pair in pairs}
    for batch in batches:
        for index, views, source, transform, label in zip(
            batch.object_index.tolist(), batch.views, batch.source, batch.transform, batch.label, strict=True
        ):
            pair = expected[index]
            assert torch.equal(views, pair.views) and label == dataset.labels[index]
            assert torch.equal(source, pair.source) and torch.allclose(transform, pair.transform)


def test_damage_is_an_error_that_names_the_shard(make_dataset):
    dataset = make_dataset()
    root, second = dataset.root, int(dataset.offsets[1, 0, 0]) - 512
    for size in (5000, second, second - 700):
        os.truncate(root / "train-000000.tar", size)
        with pytest.raises(IebenchError, match=r"train-000000\.tar"):
            list(PairStream(root))
    with pytest.raises(UsageError, match="no split 'test'"):
        PairStream(root, "test")


@pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning")
def test_webdataset_used_plainly_reads_our_shards(drawn_dataset):
    dataset = Dataset(drawn_dataset)
    urls = [str(drawn_dataset / shard.name) for shard in dataset.card.shards]
    samples = list(webdataset.WebDataset(urls, shardshuffle=False).decode("rgb8"))
    gc.collect()  # webdataset leaves its files to the collector, which warns
    assert [sample["__key__"] for sample in samples] == [
        f"{synset}-{object_id}" for synset, object_id in zip(dataset.synsets, dataset.object_ids, strict=True)
    ]
    for index, sample in enumerate(samples):
        np.testing.assert_array_equal(sample["latents.npy"], dataset.latents[index])
        assert sample["json"]["label"] == dataset.labels[index]
        expected = simplejpeg.decode_jpeg(dataset.read_jpeg(index, 3))
        assert np.abs(sample["03.jpg"].astype(int) - expected).max() <= 3

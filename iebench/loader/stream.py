"""Pairs from one sequential pass over shards, for those who stream from a slow or remote store and keep no copy."""

import os
import random
import tarfile
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import torch
from jaxtyping import Float64, Int
from numpy import ndarray
from torch.utils.data import DataLoader, IterableDataset, get_worker_info
from webdataset.filters import shuffle

from iebench.dataset.card import CARD, DatasetCard
from iebench.dataset.remote import fetch_card, is_remote, open_url, pinned
from iebench.dataset.shards import read_samples, view_name
from iebench.errors import IebenchError, UsageError, whole_number
from iebench.factors.transforms import TransformSpec, make_transform
from iebench.limits import MAX_LABEL
from iebench.loader.batches import find_rank, no_collation
from iebench.loader.decode import Decoder
from iebench.loader.multiview import Pair
from iebench.loader.order import choose_views, divide_shards
from iebench.untrusted import FAULTS, count, parse_json, tell
from iebench.untrusted_arrays import parse_npy


class _Drawn(NamedTuple):
    """A pair that is not decoded yet."""

    jpegs: tuple[bytes, bytes]
    latents: Float64[ndarray, "2 factors"]
    label: int
    object_index: int
    views: Int[ndarray, "2"]


class PairStream(IterableDataset[Pair]):
    """Batches of pairs, in the order of shards that changes with the epoch, mixed by a buffer.

    Every object of the split is read exactly once per epoch, by one worker of one rank, and gives `pairs_per_object` pairs. Ranks
    may have different numbers of batches; training that must keep step takes the smallest. There is no resuming in
    mid-epoch: `PairDataset` has that, and reads what it needs alone.

    Attributes:
        card: what is read.
        epoch: of the pass that begins next, or of the last one that the loader has begun, which then goes on to the next.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        split: str = "train",
        transform: TransformSpec = "rotation",
        seed: int = 0,
        size: int | None = None,
        *,
        batch_size: int = 256,
        pairs_per_object: int = 1,
        buffer: int = 2048,
        rank: int | None = None,
        num_ranks: int | None = None,
    ) -> None:
        """Open a stream.

        Args:
            path: folder or URL of the dataset.
            split: "train" or "val".
            transform, seed, size: as for `PairDataset`.
            batch_size: pairs of a batch; the last of a worker may be smaller.
            pairs_per_object: pairs of each object that is read, which lie a buffer's length apart at most.
            buffer: pairs that wait to be mixed, as JPEGs.
            rank, num_ranks: which part of an epoch to read; None takes those of torch.distributed.

        Raises:
            IebenchError: the card cannot be read.
            UsageError: an argument that the dataset does not have.
        """
        self._path = pinned(str(path)) if is_remote(path) else str(path).rstrip("/")
        self.card = _read_card(self._path)
        self._seed, self._batch_size = seed, batch_size
        self._pairs_per_object, self._buffer = pairs_per_object, buffer
        self._epoch = torch.zeros((), dtype=torch.int64)
        found_rank, found_ranks = find_rank()
        self._rank = found_rank if rank is None else rank
        self._num_ranks = found_ranks if num_ranks is None else num_ranks
        if min(batch_size, pairs_per_object, buffer) < 1:
            raise UsageError("batch_size, pairs_per_object and buffer must be 1 or more.")
        self._shards = self._find_shards(split)
        self._transform = make_transform(transform, self.card.space)
        self._decoder = Decoder(self.card, size)

    @property
    def epoch(self) -> int:  # noqa: D102 - an attribute of the class's docstring
        return int(self._epoch)

    @epoch.setter
    def epoch(self, epoch: int) -> None:
        self._epoch.fill_(epoch)

    def loader(self, num_workers: int = 4, **settings: Any) -> "StreamLoader":
        """A DataLoader of the batches, which goes on to the next epoch by itself."""
        num_workers = whole_number(num_workers, "num_workers", 0)
        if settings.get("persistent_workers"):
            self._epoch.share_memory_()  # workers that stay see it change; others keep that of their pass
        return StreamLoader(self, batch_size=None, num_workers=num_workers, collate_fn=no_collation, **settings)

    def __iter__(self) -> Iterator[Pair]:
        return self._read(self.epoch)

    def _read(self, epoch: int) -> Iterator[Pair]:
        consumer, consumers = self._find_consumer()
        chance = random.Random(f"iebench stream 1 {self._seed} {epoch} {consumer}")
        pairs = shuffle(self._buffer, initial=self._buffer, rng=chance)(self._draw_pairs(epoch, consumer, consumers))
        while drawn := list(islice(pairs, self._batch_size)):
            yield self._decode(drawn)

    def _find_consumer(self) -> tuple[int, int]:
        """Which of all workers of all ranks this process is, and how many there are."""
        worker = get_worker_info()
        index, workers = (0, 1) if worker is None else (worker.id, worker.num_workers)
        return self._rank * workers + index, self._num_ranks * workers

    def _find_shards(self, split: str) -> list[tuple[str, int, int]]:
        """Of every shard of a split its name, its first object index and its number of objects."""
        starts = np.cumsum([0, *(shard.objects for shard in self.card.shards)]).tolist()
        shards = [
            (shard.name, start, shard.objects)
            for shard, start in zip(self.card.shards, starts, strict=False)
            if shard.split == split
        ]
        if not shards:
            raise UsageError(f"{self._path} has no split {split!r}: it has {', '.join(self.card.splits)}.")
        return shards

    def _draw_pairs(self, epoch: int, consumer: int, consumers: int) -> Iterator[_Drawn]:
        for shard, part, parts in divide_shards(len(self._shards), consumers, consumer, self._seed, epoch):
            name, start, count = self._shards[shard]
            for number, (key, sample) in enumerate(self._read_samples(name, count)):
                if number % parts == part:
                    yield from self._draw_object(f"{name}: {key}", start + number, epoch, sample)

    def _read_samples(self, shard: str, count: int) -> Iterator[tuple[str, dict[str, bytes]]]:
        url, read = f"{self._path}/{shard}", 0
        with open_url(url) as stream:
            try:
                samples = read_samples(stream, self.card.num_views, len(self.card.passes))
                for read, sample in enumerate(samples, 1):  # noqa: B007
                    yield sample
                if read != count:  # a tar that ends between two samples looks whole
                    raise ValueError(f"it ends after {read} of {count} objects")
            except (OSError, EOFError, tarfile.TarError, *FAULTS) as error:
                raise IebenchError(f"{url} is damaged ({tell(error)}): `iebench verify` names the damage.") from None

    def _draw_object(self, name: str, index: int, epoch: int, sample: dict[str, bytes]) -> Iterator[_Drawn]:
        try:
            latents = self._parse_latents(sample["latents.npy"])
            label = count(parse_json(sample["json"])["label"], 0, MAX_LABEL, "the label")
            for number in range(self._pairs_per_object):
                draw = epoch * self._pairs_per_object + number
                views = choose_views(self._seed, draw, np.array([index]), self.card.num_views)[0]
                source, target = (sample[view_name(view)] for view in views.tolist())
                yield _Drawn((source, target), latents[views], label, index, views)
        except FAULTS as error:
            raise IebenchError(f"{self._path}/{name} is no whole sample ({tell(error)}).") from None

    def _parse_latents(self, content: bytes) -> Float64[ndarray, "views factors"]:
        latents, shape = parse_npy(content), (self.card.num_views, len(self.card.space.names))
        if latents.shape != shape or latents.dtype != np.float64 or not np.isfinite(latents).all():
            raise ValueError(f"latents are no {shape} finite numbers")
        return latents

    def _decode(self, drawn: list[_Drawn]) -> Pair:
        size = self._decoder.size
        images = np.empty((2, len(drawn), size, size, 3), np.uint8)
        for column, pair in enumerate(drawn):
            for jpeg, image in zip(pair.jpegs, images[:, column], strict=True):
                try:
                    self._decoder.decode(jpeg, image)
                except ValueError as error:
                    raise IebenchError(
                        f"{self._path}: a view of object {pair.object_index} is damaged ({error})."
                    ) from None
        latents = np.stack([pair.latents for pair in drawn])
        transforms = np.asarray(self._transform(latents[:, 0], latents[:, 1]), dtype=np.float32)
        source, target = torch.from_numpy(images).permute(0, 1, 4, 2, 3)
        return Pair(
            source,
            target,
            torch.from_numpy(transforms),
            label=torch.tensor([pair.label for pair in drawn]),
            object_index=torch.tensor([pair.object_index for pair in drawn]),
            views=torch.from_numpy(np.stack([pair.views for pair in drawn])),
        )


class StreamLoader(DataLoader[Any]):
    """A DataLoader of a stream's batches; each `for` is the next epoch, however far the one before went."""

    _begun: int | None = None

    def __iter__(self) -> Iterator[Pair]:  # type: ignore[override]
        # Not after a pass, which may be left early; nor while workers begin one.
        self.dataset.epoch += self.dataset.epoch == self._begun  # type: ignore[attr-defined]
        self._begun = self.dataset.epoch  # type: ignore[attr-defined]
        return super().__iter__()

    def set_epoch(self, epoch: int) -> None:
        """Let the next `for` be this epoch."""
        self.dataset.epoch, self._begun = epoch, None  # type: ignore[attr-defined]


def _read_card(path: str) -> DatasetCard:
    if is_remote(path):
        return DatasetCard.parse(fetch_card(path), f"{path}/{CARD}")
    return DatasetCard.read(Path(path))

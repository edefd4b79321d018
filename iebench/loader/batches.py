"""The loader: a torch DataLoader of whole batches that knows its place in the epoch."""

import math
from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor, distributed
from torch.utils.data import DataLoader, Dataset, Sampler

from iebench.errors import IebenchError, UsageError
from iebench.loader.buffers import OWN_MEMORY, Slots
from iebench.loader.order import Plan, count_batches, plan_batches

Batch = TypeVar("Batch", bound=tuple, covariant=True)
Arrays = tuple[ndarray, ...]
PREFETCH = 2  # batches that each worker prepares ahead, torch's default
_HELD = 3  # batches that may be with the user before a slot is missed
_MUST_AGREE = ("num_items", "seed", "shuffle")


class Source(Protocol[Batch]):
    """What the loader needs of a dataset: images that fill memory it is given, and the arrays that go with them."""

    def image_shape(self, num_items: int) -> tuple[int, ...]:
        """Shape of the uint8 images of that many items."""

    def fill(self, epoch: int, items: Int[ndarray, " batch"], images: UInt8[ndarray, "..."]) -> Arrays:
        """Decode the images of some items, and return the rest of the batch."""

    def pack(self, images: UInt8[Tensor, "..."], arrays: Arrays) -> Batch:
        """The batch as a tuple of tensors, without copying the images."""


class Place(NamedTuple):
    """A place in a training: an epoch, and how many of its items all ranks have read."""

    epoch: int
    read: int


class Request(NamedTuple):
    """What a worker is asked for: items of an epoch, and the slot for their images."""

    epoch: int
    items: Int[ndarray, " batch"]
    slot: int


class Parcel(NamedTuple):
    """What a worker sends back. The images lie in the slot, or travel with it when there was none free."""

    slot: int
    num_items: int
    images: Tensor | None
    arrays: Arrays


class BatchLoader(DataLoader[Any], Generic[Batch]):
    """Batches of a source, in an order that is a pure function of (seed, epoch, already read).

    Each `for` over it is one epoch, and the next `for` the next one; a `for` that was left early begins its epoch again.
    `state_dict` tells what was *yielded*, not what workers have read ahead: a loader that loads it goes on with exactly the next
    batch, with any number of workers and ranks.
    """

    def __init__(
        self,
        source: Source[Batch],
        plan: Plan,
        rank: int = 0,
        num_workers: int = 0,
        pin_memory: bool | None = None,
        **settings: Any,
    ) -> None:
        """Make a loader; `PairDataset.loader` and `ViewDataset.loader` are the usual ways.

        Args:
            source: what is read.
            plan: how its items are divided.
            rank: which part of every step is ours, 0..num_ranks-1.
            num_workers: processes that decode, which live as long as the loader; 0 decodes in this one.
            pin_memory: put batches in page-locked memory; None does it where there is a GPU.
            settings: further settings of torch's DataLoader, such as multiprocessing_context.
        """
        if not 0 <= rank < plan.num_ranks:
            raise UsageError(f"rank={rank}: it must lie between 0 and {plan.num_ranks - 1}.")
        self.plan, self.rank = plan, rank
        self.place = Place(0, 0)
        self._source = source
        self._pin = torch.cuda.is_available() if pin_memory is None else pin_memory
        num_bytes = math.prod(source.image_shape(min(plan.batch_size, plan.num_items)))
        self._slots = Slots(num_workers * PREFETCH + _HELD, num_bytes, shared=num_workers > 0)
        self._requests = _Requests(plan, rank, self._slots)
        super().__init__(
            _Reader(source, self._slots),
            batch_size=None,  # a request is a whole batch
            sampler=self._requests,
            num_workers=num_workers,
            collate_fn=_as_it_is,
            persistent_workers=num_workers > 0,
            prefetch_factor=PREFETCH if num_workers else None,
            **settings,
        )

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        self.place = self._requests.begin
        for parcel in super().__iter__():
            if isinstance(parcel, IebenchError):
                try:
                    raise parcel
                finally:
                    del parcel  # else the error holds this frame, which holds the error, and the workers live on
            self.place = self._advance(self.place)
            yield self._unpack(parcel)
        self._go_to(Place(self._requests.begin.epoch + 1, 0))

    def __len__(self) -> int:
        """Batches of a whole epoch on this rank."""
        return len(self._requests)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self.place.epoch

    def set_epoch(self, epoch: int) -> None:
        """Let the next `for` be this epoch, from its beginning; a resumed epoch that is asked for again goes on where it was."""
        if epoch != self._requests.begin.epoch:
            self._go_to(Place(epoch, 0))

    def state_dict(self) -> dict[str, int | bool]:
        """The place of the next batch, as plain values. Save that of rank 0, which has a batch in every step."""
        plan = {name: getattr(self.plan, name) for name in _MUST_AGREE}
        return {"epoch": self.place.epoch, "read": self.place.read, **plan}

    def load_state_dict(self, state: dict[str, int | bool]) -> None:
        """Go on where the loader was that gave `state`.

        Raises:
            UsageError: that one had other items, another seed, or was not shuffled alike, so that its place means nothing here.
        """
        for name in _MUST_AGREE:
            if state[name] != getattr(self.plan, name):
                raise UsageError(
                    f"The loader's state was saved with {name}={state[name]}, and this loader has {getattr(self.plan, name)}: "
                    "resume with the dataset, split and seed that the run began with."
                )
        self._go_to(Place(int(state["epoch"]), int(state["read"])))

    def _go_to(self, place: Place) -> None:
        self._requests.begin = self.place = place

    def _advance(self, place: Place) -> Place:
        read = self.plan.advance(place.read)
        return Place(place.epoch + (read == 0), read)

    def _unpack(self, parcel: Parcel) -> Batch:
        images = parcel.images
        if images is None:
            shape = self._source.image_shape(parcel.num_items)
            images = torch.from_numpy(self._slots.receive(parcel.slot, shape))
        # pinning copies, so the slot is free at once and a copy to the GPU may run on while it is filled again
        return self._source.pack(images.pin_memory() if self._pin else images, parcel.arrays)


class _Requests(Sampler[Request]):
    """The requests of one epoch, each made when a worker is ready for it.

    It knows nothing of the loader: in a cycle of references, Python would close the workers' queues before they are told to end.
    """

    def __init__(self, plan: Plan, rank: int, slots: Slots) -> None:
        self._plan, self._rank, self._slots = plan, rank, slots
        self.begin = Place(0, 0)

    def __iter__(self) -> Iterator[Request]:
        self._slots.reclaim()
        epoch, read = self.begin
        for items in plan_batches(self._plan, self._rank, epoch, read):
            yield Request(epoch, items, self._slots.take())

    def __len__(self) -> int:
        return count_batches(self._plan, self._rank)


class _Reader(Dataset[Parcel | IebenchError]):
    """Answers requests, in a worker or here."""

    def __init__(self, source: Source, slots: Slots) -> None:
        self._source, self._slots = source, slots

    def __getitem__(self, request: Request) -> Parcel | IebenchError:
        shape = self._source.image_shape(len(request.items))
        images = self._slots.fill(request.slot, shape) if request.slot != OWN_MEMORY else np.empty(shape, np.uint8)
        try:
            arrays = self._source.fill(request.epoch, request.items, images)
        except IebenchError as error:  # raised in the main process, without torch's traceback around its sentence
            return error
        own = torch.from_numpy(images) if request.slot == OWN_MEMORY else None
        return Parcel(request.slot, len(request.items), own, arrays)


def find_rank() -> tuple[int, int]:
    """Rank of this process and number of ranks under torch.distributed, (0, 1) without it."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def _as_it_is(parcel: Any) -> Any:
    return parcel

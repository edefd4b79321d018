"""The loader: a torch DataLoader of whole batches that knows its position in the epoch."""

import math
from collections.abc import Iterator
from typing import Any, Generic, NamedTuple, Protocol, TypeVar, runtime_checkable

import numpy as np
import torch
from jaxtyping import Int, UInt8
from numpy import ndarray
from torch import Tensor, distributed
from torch.utils.data import DataLoader, Dataset, Sampler

from iebench.errors import IebenchError, UsageError, whole_number
from iebench.loader.buffers import OWN_MEMORY, BufferPool
from iebench.loader.order import Plan, count_batches, plan_batches

Batch = TypeVar("Batch", bound=tuple, covariant=True)
Arrays = tuple[ndarray, ...]
PREFETCH = 2  # batches that each worker prepares ahead, torch's default
_HELD = 3  # batches that may be with the user before a buffer is missed
_MUST_AGREE = ("num_items", "seed", "shuffle")
# Settings of torch's DataLoader that are decided here.
_DECIDED = {"batch_sampler", "collate_fn", "drop_last", "last", "prefetch_factor", "sampler", "shuffle"}


@runtime_checkable
class BatchReader(Protocol[Batch]):
    """What the loader needs of a dataset: images that fill memory it is given, and the arrays that go with them."""

    def image_shape(self, num_items: int) -> tuple[int, ...]:
        """Shape of the uint8 images of that many items."""

    def fill(self, epoch: int, items: Int[ndarray, " batch"], images: UInt8[ndarray, "..."]) -> Arrays:
        """Decode the images of some items, and return the rest of the batch."""

    def pack(self, images: UInt8[Tensor, "..."], arrays: Arrays) -> Batch:
        """The batch as a tuple of tensors, without copying the images."""


class EpochPosition(NamedTuple):
    """A position in a training: an epoch, and how many of its items all ranks have read."""

    epoch: int
    read: int


class BatchRequest(NamedTuple):
    """A request to a worker: items of an epoch, and the buffer for their images."""

    epoch: int
    items: Int[ndarray, " batch"]
    buffer: int


class LoadedBatch(NamedTuple):
    """What a worker gives back. The images lie in the buffer, or travel with it when there was none free.

    No tensor is in it: a thread sends it, and a process that ends while its threads are inside torch is aborted.
    """

    buffer: int
    num_items: int
    images: UInt8[ndarray, "..."] | None
    arrays: Arrays


class BatchLoader(DataLoader[Any], Generic[Batch]):
    """Batches of a reader, in an order that is a pure function of (seed, epoch, already read).

    Each `for` over it is one epoch, and the next `for` the next one; a `for` that was left early begins its epoch again.
    `state_dict` tells what was *yielded*, not what workers have read ahead: a loader that loads it goes on with exactly the next
    batch, with any number of workers and ranks.
    """

    def __init__(
        self,
        reader: BatchReader[Batch],
        plan: Plan,
        rank: int = 0,
        num_workers: int = 0,
        pin_memory: bool | None = None,
        **settings: Any,
    ) -> None:
        """Make a loader; `PairDataset.loader` and `ViewDataset.loader` are the usual ways.

        Args:
            reader: what is read.
            plan: how its items are divided.
            rank: which part of every step is ours, 0..num_ranks-1.
            num_workers: processes that decode, which live as long as the loader; 0 decodes in this one.
            pin_memory: put batches in page-locked memory; None does it where there is a GPU.
            settings: further settings of torch's DataLoader, such as multiprocessing_context.
        """
        if refused := sorted(settings.keys() & _DECIDED):
            raise UsageError(
                f"{refused[0]}= is decided by this loader: leave it out, or make a torch.utils.data.DataLoader of the dataset "
                '(for drop_last=True, pairs have last="drop").'
            )
        if not 0 <= rank < plan.num_ranks:
            raise UsageError(f"rank={rank}: it must lie between 0 and {plan.num_ranks - 1}.")
        self.plan, self.rank = plan, rank
        self.position = EpochPosition(0, 0)
        self._reader = reader
        self._pin = torch.cuda.is_available() if pin_memory is None else pin_memory
        num_bytes = math.prod(reader.image_shape(min(plan.batch_size, plan.num_items)))
        num_workers = whole_number(num_workers, "num_workers", 0)
        self._buffers = BufferPool(num_workers * PREFETCH + _HELD, num_bytes, shared=num_workers > 0)
        self._requests = _RequestSampler(plan, rank, self._buffers)
        super().__init__(
            _RequestReader(reader, self._buffers),
            batch_size=None,  # a request is a whole batch
            sampler=self._requests,
            num_workers=num_workers,
            collate_fn=no_collation,
            persistent_workers=num_workers > 0,
            prefetch_factor=PREFETCH if num_workers else None,
            **settings,
        )

    def __iter__(self) -> Iterator[Batch]:  # type: ignore[override]
        self._turn = turn = object()
        self.position = self._requests.begin
        for loaded in super().__iter__():
            if isinstance(loaded, IebenchError):
                try:
                    raise loaded
                finally:
                    del loaded  # else the error holds this frame, which holds the error, and the workers live on
            self.position = self._advance(self.position)
            yield self._unpack(loaded)
            if self._turn is not turn:  # torch lets both share one iterator, so that each misses what the other got
                raise UsageError("A second `for` over this loader has begun: make a loader for each.")
        self._go_to(EpochPosition(self._requests.begin.epoch + 1, 0))

    def __len__(self) -> int:
        """Batches of a whole epoch on this rank."""
        return len(self._requests)

    @property
    def epoch(self) -> int:
        """The epoch of the next batch."""
        return self.position.epoch

    def set_epoch(self, epoch: int) -> None:
        """Let the next `for` be this epoch, from its beginning; set to the epoch that it resumed, it goes on where it was."""
        if (number := whole_number(epoch, "epoch")) != self._requests.begin.epoch:
            self._go_to(EpochPosition(number, 0))

    def state_dict(self) -> dict[str, int | bool]:
        """The position of the next batch, as plain values. Save that of rank 0, which has a batch in every step."""
        plan = {name: getattr(self.plan, name) for name in _MUST_AGREE}
        return {"epoch": self.position.epoch, "read": self.position.read, **plan}

    def load_state_dict(self, state: dict[str, int | bool]) -> None:
        """Go on where the loader was that gave `state`.

        Raises:
            UsageError: that one had other items, another seed or no such shuffling, so that its position means nothing here.
        """
        for name in _MUST_AGREE:
            if state[name] != getattr(self.plan, name):
                raise UsageError(
                    f"The loader's state was saved with {name}={state[name]}, and this loader has {getattr(self.plan, name)}: "
                    "resume with the dataset, split and seed that the run began with."
                )
        self._go_to(EpochPosition(int(state["epoch"]), int(state["read"])))

    def close(self) -> None:
        """End the workers; the next `for` starts new ones.

        They live as long as something holds the loader, and that may be the traceback of an error.
        """
        iterator, self._iterator = self._iterator, None
        if iterator is not None:
            iterator._shutdown_workers()  # type: ignore[attr-defined]

    def _go_to(self, position: EpochPosition) -> None:
        self._requests.begin = self.position = position

    def _advance(self, position: EpochPosition) -> EpochPosition:
        read = self.plan.advance(position.read)
        return EpochPosition(position.epoch + (read == 0), read)

    def _unpack(self, loaded: LoadedBatch) -> Batch:
        images = loaded.images
        if images is None:
            shape = self._reader.image_shape(loaded.num_items)
            images = self._buffers.receive(loaded.buffer, shape)
        tensor = torch.from_numpy(images)
        # pinning copies, so the buffer is free at once and a copy to the GPU may run on while it is filled again
        return self._reader.pack(tensor.pin_memory() if self._pin else tensor, loaded.arrays)


class _RequestSampler(Sampler[BatchRequest]):
    """The requests of one epoch, each made when a worker is ready for it.

    It knows nothing of the loader: in a cycle of references, Python would close the workers' queues before they are told to end.
    """

    def __init__(self, plan: Plan, rank: int, buffers: BufferPool) -> None:
        self._plan, self._rank, self._buffers = plan, rank, buffers
        self.begin = EpochPosition(0, 0)

    def __iter__(self) -> Iterator[BatchRequest]:
        self._buffers.reclaim()
        epoch, read = self.begin
        for items in plan_batches(self._plan, self._rank, epoch, read):
            yield BatchRequest(epoch, items, self._buffers.take())

    def __len__(self) -> int:
        return count_batches(self._plan, self._rank)


class _RequestReader(Dataset[LoadedBatch | IebenchError]):
    """Reads the batches of requests, in a worker or in this process."""

    def __init__(self, reader: BatchReader, buffers: BufferPool) -> None:
        self._reader, self._buffers = reader, buffers

    def __getitem__(self, request: BatchRequest) -> LoadedBatch | IebenchError:
        shape = self._reader.image_shape(len(request.items))
        images = (
            self._buffers.fill(request.buffer, shape) if request.buffer != OWN_MEMORY else np.empty(shape, np.uint8)
        )
        try:
            arrays = self._reader.fill(request.epoch, request.items, images)
        except IebenchError as error:  # raised in the main process, without torch's traceback around its sentence
            return error
        own = images if request.buffer == OWN_MEMORY else None
        return LoadedBatch(request.buffer, len(request.items), own, arrays)


def find_rank() -> tuple[int, int]:
    """Rank of this process and number of ranks under torch.distributed, (0, 1) without it."""
    if distributed.is_available() and distributed.is_initialized():
        return distributed.get_rank(), distributed.get_world_size()
    return 0, 1


def no_collation(batch: Any) -> Any:
    """A batch as it is: torch's `collate_fn` where a dataset makes whole batches."""
    return batch

"""Epoch order and batch partition across ranks: pure functions of the seed and the numbers of a training, in numpy.

An epoch is one permutation of all items, taken from a counter-based generator keyed by (seed, epoch). All ranks walk through it
together: a step takes the next `num_ranks * batch_size` items and rank r the r-th part of them. So the position in an epoch is
one number, how many items all ranks have read, and what comes next does not depend on how many ranks or workers read what came
before. Workers do not appear at all: torch hands batch i of a rank to worker i modulo their number, and keeps the order.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, NamedTuple, get_args

import numpy as np
from jaxtyping import Int, UInt64
from numpy import ndarray

from iebench.errors import UsageError, whole_number

Last = Literal["keep", "drop", "pad"]
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)


@dataclass(frozen=True)
class Plan:
    """How the items of an epoch are divided.

    Attributes:
        num_items: objects, or views, of one epoch.
        batch_size: items that one rank reads in one step.
        num_ranks: processes that train together.
        seed: of the permutations.
        shuffle: permute anew in each epoch; otherwise items come in order.
        last: what becomes of the last step when too few items are left. "keep" divides them, so batches are smaller and a
            rank may have none; "drop" leaves them out; "pad" divides them evenly, with items from the epoch's
            beginning repeated where they are not a multiple of the ranks.
    """

    num_items: int
    batch_size: int
    num_ranks: int = 1
    seed: int = 0
    shuffle: bool = True
    last: Last = "keep"

    def __post_init__(self) -> None:
        for name in ("num_items", "batch_size", "num_ranks"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, 1))
        if self.last not in get_args(Last):
            raise UsageError(f"last={self.last!r} is not understood: choose one of {', '.join(get_args(Last))}.")
        if self.last == "drop" and self.num_items < self.step_size:
            raise UsageError(
                f"{self.num_items} objects do not fill one batch of {self.batch_size} on each of {self.num_ranks} ranks: "
                "take a smaller batch size."
            )

    @property
    def step_size(self) -> int:
        """Items that all ranks read in one step."""
        return self.num_ranks * self.batch_size

    def advance(self, read: int) -> int:
        """Items read after one more step, 0 when the epoch is over."""
        read += self.step_size
        end = self.num_items - (self.step_size - 1 if self.last == "drop" else 0)
        return read if read < end else 0


def order_items(plan: Plan, epoch: int) -> Int[ndarray, " items"]:
    """The order of one epoch: a permutation of 0..num_items-1."""
    if not plan.shuffle:
        return np.arange(plan.num_items)
    generator = np.random.Philox(key=_key("order", plan.seed, epoch))
    # numpy promises the stream of raw words for ever, but not what `Generator.permutation` makes of them
    return np.argsort(generator.random_raw(plan.num_items), kind="stable")


def plan_batches(plan: Plan, rank: int, epoch: int, read: int = 0) -> Iterator[Int[ndarray, " batch"]]:
    """The batches of one rank, from the position where `read` items of the epoch are read already by all ranks together."""
    order = order_items(plan, epoch)
    for start in range(read, plan.num_items, plan.step_size):
        step = order[start : start + plan.step_size]
        if len(step) < plan.step_size:
            step = _last_step(step, order, plan)
        batch = np.array_split(step, plan.num_ranks)[rank]
        if len(batch):
            yield batch


def count_batches(plan: Plan, rank: int) -> int:
    """Batches of one rank in a whole epoch."""
    steps, left = divmod(plan.num_items, plan.step_size)
    extra = {"keep": left > rank, "drop": False, "pad": left > 0}[plan.last]
    return steps + extra


class ShardSlice(NamedTuple):
    """What one consumer streams of one shard: every `parts`-th sample, from the `part`-th on."""

    shard: int
    part: int
    parts: int


def divide_shards(num_shards: int, num_consumers: int, consumer: int, seed: int, epoch: int) -> list[ShardSlice]:
    """The shards that one consumer, a worker of a rank, streams in an epoch, in their order.

    Every sample goes to exactly one consumer. As many whole shards as can be are divided evenly; those left over, which are all
    of them where consumers outnumber shards, are shared by several consumers.
    """
    order = order_items(Plan(num_shards, 1, seed=seed), epoch)
    left = num_shards % num_consumers
    whole = [ShardSlice(int(shard), 0, 1) for shard in order[left + consumer :: num_consumers]]
    if not left:
        return whole
    shared = consumer % left
    sharers = len(range(shared, num_consumers, left))
    return [*whole, ShardSlice(int(order[shared]), consumer // left, sharers)]


def choose_views(
    seed: int, epoch: int, objects: Int[ndarray, " n"], num_views: int, count: int = 2
) -> Int[ndarray, "n count"]:
    """`count` different views out of `num_views` for each object, a pure function of (seed, epoch, object).

    All ordered choices are equally likely. The steps of Fisher and Yates, for all objects at once.

    Raises:
        UsageError: an object has fewer views than that.
    """
    if not 1 <= count <= num_views:
        raise UsageError(
            f"{count} different views are wanted, and each object has {num_views}: ask for 1 to {num_views}, or take a dataset "
            "with more views."
        )
    state = _mix(_mix(objects.astype(np.uint64) + np.uint64(1)) ^ _key("views", seed, epoch)[0])
    table = np.tile(np.arange(num_views), (len(objects), 1))
    rows = np.arange(len(objects))
    for column in range(count):
        state = state + _GOLDEN
        other = column + (_mix(state) % np.uint64(num_views - column)).astype(np.int64)
        table[rows, column], table[rows, other] = table[rows, other], table[rows, column].copy()
    return table[:, :count]


def _last_step(step: ndarray, order: ndarray, plan: Plan) -> ndarray:
    if plan.last == "drop":
        return step[:0]
    missing = -len(step) % plan.num_ranks if plan.last == "pad" else 0
    return np.concatenate([step, np.resize(order, missing)])


def _key(purpose: str, seed: int, epoch: int) -> UInt64[ndarray, "2"]:
    text = f"iebench {purpose} 1\n{seed}\n{epoch}"
    return np.frombuffer(hashlib.blake2b(text.encode(), digest_size=16).digest(), dtype="<u8")


def _mix(word: UInt64[ndarray, "*n"]) -> UInt64[ndarray, "*n"]:
    """The finaliser of SplitMix64 (Steele, Lea and Flood, OOPSLA 2014): every bit of the result depends on every bit given."""
    word = (word ^ (word >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    word = (word ^ (word >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return word ^ (word >> np.uint64(31))

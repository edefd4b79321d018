"""Prefetching: the next batch is fetched and copied to the device while the device works on this one."""

from collections.abc import Iterator
from typing import Any

import torch

from iebench.loader.multiview import Views
from iebench.models.interruption import one_pass


class Prefetcher:
    """Batches of a loader without end, on the device, at most one of them ahead.

    Its state is the loader's after the batches that were *taken*: after a resume, a batch that was only fetched comes again.
    """

    def __init__(self, loader: Any, device: torch.device) -> None:
        self._loader, self._device = loader, device
        self._batches = cycle(loader)
        self._ahead: tuple[Views, dict[str, Any]] | None = None
        self._state = loader.state_dict()

    def fetch(self) -> None:
        """Begin to bring the next batch, unless it is on its way; the copy from page-locked memory does not wait."""
        if self._ahead is None:
            views = to_device(next(self._batches), self._device)
            self._ahead = views, self._loader.state_dict()

    def take(self) -> Views:
        """The next batch."""
        self.fetch()
        assert self._ahead is not None
        (views, self._state), self._ahead = self._ahead, None
        return views

    def state_dict(self) -> dict[str, Any]:
        """The loader's state after the batches that were taken."""
        return self._state


def cycle(loader: Any) -> Iterator[Views]:
    """Batches without end; each pass over the loader is the next epoch."""
    while True:
        yield from one_pass(loader)


def to_device(views: Views, device: torch.device) -> Views:
    """A batch on the device where the method is."""
    return Views(*[field.to(device, non_blocking=True) for field in views])

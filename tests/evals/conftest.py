"""A fake dataset whose images are the latents, so that the right scores are known."""

import numpy as np
import pytest
import torch

from iebench.catalogue import CLASSES
from iebench.factors.space import get_space

SIZE = 8  # 3 · 8 · 8 bytes: 10 float64 latents (80), the label (1), the object (4) and the view (1) fit


class LatentImages:
    """An `EvalDataset`; the first bytes of every image are its latents, then label, object and view."""

    identity = "fake"

    def __init__(self, num_train=40, num_val=20, num_views=10, num_classes=5, space="3diebench", batch_size=33, seed=0):
        self.space = get_space(space)
        self.card = {"name": "fake", "space": self.space.to_json()}
        self.num_train, count = num_train, num_train + num_val
        draws = [self.space.sample(seed, "02691156", f"object-{i}", num_views) for i in range(count)]
        self.latents = np.stack(draws)
        self.labels = np.arange(count, dtype=np.int64) % num_classes
        self.classes = CLASSES
        self.batch_size = batch_size
        self.passes = 0

    def split_indices(self, split):
        count = len(self.labels)
        return {
            "train": np.arange(self.num_train),
            "val": np.arange(self.num_train, count),
            "all": np.arange(count),
        }[split]

    def images(self, split, start=0):
        self.passes += 1
        num_views = self.latents.shape[1]
        rows = [(index, view) for index in self.split_indices(split) for view in range(num_views)][start:]
        for first in range(0, len(rows), self.batch_size):
            yield torch.stack([self._image(*row) for row in rows[first : first + self.batch_size]])

    def _image(self, index, view):
        content = self.latents[index, view].tobytes() + bytes([self.labels[index]])
        content += int(index).to_bytes(4, "little") + bytes([view])
        return torch.frombuffer(bytearray(content.ljust(3 * SIZE * SIZE, b"\0")), dtype=torch.uint8).view(3, SIZE, SIZE)


def read_latents(images, num_factors=7):
    """The latents back from fake images: float64 (batch, factors)."""
    flat = images.reshape(len(images), -1)[:, : 8 * num_factors].contiguous().numpy()
    return torch.from_numpy(flat.copy().view(np.float64).reshape(len(images), -1))


def read_labels(images, num_factors=7):
    """The labels back from fake images."""
    return images.reshape(len(images), -1)[:, 8 * num_factors].long()


@pytest.fixture
def fake():
    return LatentImages


@pytest.fixture(name="read_latents")
def _read_latents():
    return read_latents


@pytest.fixture(name="read_labels")
def _read_labels():
    return read_labels

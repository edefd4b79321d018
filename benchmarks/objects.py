"""Are the built-in classes learnable, and by shape only?

Renders 55 classes x 24 objects at 64 px, trains a small network on 4/5 of the objects and tests it on views of the others.
Beside it a classifier sees only how large an object looks and its mean colour. Prints one JSON line.
On 2 cores with bfloat16: about 8 minutes to render (an interrupted render goes on), and 8 to train.
"""

import argparse
import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor, nn

from iebench.catalogue import CLASSES
from iebench.dataset.reader import Dataset
from iebench.loader.decode import Decoder
from iebench.models.precision import choose_precision, keep_memory
from iebench.render.farm import render_dataset
from iebench.render.launch import choose_engine
from iebench.render.plan import plan_job
from iebench.render.procedural import build, index_of
from iebench.render.request import RenderRequest
from iebench.render.scene import SENSOR_WIDTH, camera_matrix, view_scene
from iebench.render.worker_process import Limits

CROP, MARGIN = 40, 6  # of 64 pixels, as an object spans about 35; training cuts from a wider square


def main() -> None:
    """Render, train both networks, and print one JSON line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("data/benchmark-objects"), help="dataset, made when missing")
    parser.add_argument("--views", type=int, default=12, help="of each object")
    parser.add_argument("--epochs", type=int, default=60)
    options = parser.parse_args()
    job = plan_job(RenderRequest(classes="55", objects_per_class=24, views=options.views, size=64))
    summary = render_dataset(job, options.data, choose_engine(job, Limits(), workers=2))
    dataset = Dataset(options.data)
    keep_memory()
    torch.manual_seed(0)
    start = time.perf_counter()
    network = score_network(dataset, options.epochs)
    line = {
        "benchmark": "objects",
        "objects": summary.objects,
        "views": summary.views,
        "failures": len(summary.failures),
        "network_top1": round(network, 4),
        "color_and_area_top1": round(score_color_and_area(dataset), 4),
        "chance": round(1 / 55, 4),
        "build_ms_median": round(1000 * measure_build(), 2),
        "seconds": round(time.perf_counter() - start),
    }
    print(json.dumps(line))


def score_network(dataset: Dataset, epochs: int) -> float:
    """Top-1 of a small residual network on views of held-out objects."""
    model = small_network()
    fit(model, *load_views(dataset, "train", CROP + 2 * MARGIN), epochs, augment)
    return accuracy(model, *load_views(dataset, "val", CROP))


def score_color_and_area(dataset: Dataset) -> float:
    """Top-1 of a network that sees the mean colours of object and image, and the object's share of the image."""
    (train, train_labels), (val, val_labels) = (load_color_and_area(dataset, split) for split in ("train", "val"))
    mean, std = train.mean(0), train.std(0)
    model = nn.Sequential(nn.Linear(train.shape[1], 128), nn.ReLU(), nn.Linear(128, 128), nn.ReLU(), nn.Linear(128, 55))
    fit(model, (train - mean) / std, train_labels, 40, lambda batch: batch)
    return accuracy(model, (val - mean) / std, val_labels)


def load_views(dataset: Dataset, split: str, side: int) -> tuple[Tensor, Tensor]:
    """The middle of every view, float (n, 3, side, side), and labels (n,)."""
    pixels, labels, _ = _read_pixels(dataset, split)
    edge = (pixels.shape[1] - side) // 2
    middle = pixels[:, edge : edge + side, edge : edge + side]
    images = torch.from_numpy(np.ascontiguousarray(middle)).permute(0, 3, 1, 2).float() / 255
    return (images - 0.5) / 0.12, labels


def load_color_and_area(dataset: Dataset, split: str) -> tuple[Tensor, Tensor]:
    """Inputs (n, 7): mean RGB of the object's pixels, mean RGB of the image, share of the image that the object covers."""
    pixels, labels, objects = _read_pixels(dataset, split)
    inputs = np.empty((len(pixels), 7), np.float32)
    for first in range(0, len(pixels), dataset.num_views):
        points = _surface_points(dataset, objects[first])
        for view in range(dataset.num_views):
            image = pixels[first + view].astype(np.float32)
            mask = _silhouette(dataset, points, dataset.latents[objects[first], view], len(image))
            inputs[first + view] = [*image[mask].mean(0), *image.mean((0, 1)), mask.mean()]
    return torch.from_numpy(inputs), labels


def _read_pixels(dataset: Dataset, split: str) -> tuple[np.ndarray, Tensor, np.ndarray]:
    objects = np.repeat(dataset.split_indices(split), dataset.num_views)
    views = np.tile(np.arange(dataset.num_views), len(objects) // dataset.num_views)
    side = dataset.card.image_size
    pixels = np.empty((len(objects), side, side, 3), np.uint8)
    Decoder(dataset.card).decode_views(dataset, objects, views, pixels)
    return pixels, torch.from_numpy(dataset.labels[objects]), objects


def _surface_points(dataset: Dataset, index: int, count: int = 6000) -> np.ndarray:
    """Points spread evenly over an object, (count, 3) in Blender's frame."""
    mesh = build(dataset.synsets[index], index_of(dataset.object_ids[index])).mesh()
    rng = np.random.default_rng(0)
    corners = mesh.vertices[mesh.faces[rng.choice(len(mesh.faces), count, p=mesh.area_faces / mesh.area)]]
    points = (rng.dirichlet(np.ones(3), count)[..., None] * corners).sum(1)
    return points[:, [0, 2, 1]] * [1, -1, 1]


def _silhouette(dataset: Dataset, points: np.ndarray, latents: np.ndarray, side: int) -> np.ndarray:
    """Pixels (side, side) that one of the points falls into."""
    world = points @ view_scene(dataset.space, latents).object_matrix[:3, :3].T
    camera = camera_matrix()
    local = (world - camera[:3, 3]) @ camera[:3, :3]
    flat = local[:, :2] / -local[:, 2:] * dataset.card.focal_length / SENSOR_WIDTH * side + side / 2
    column, row = flat.astype(int).T
    mask = np.zeros((side, side), bool)
    mask[np.clip(side - 1 - row, 0, side - 1), np.clip(column, 0, side - 1)] = True
    return mask


class Residual(nn.Module):
    """Two 3 x 3 convolutions beside a shortcut, which alone counts at first."""

    def __init__(self, inputs: int, outputs: int, stride: int) -> None:
        super().__init__()
        self.branch = nn.Sequential(
            nn.Conv2d(inputs, outputs, 3, stride, 1, bias=False),
            nn.BatchNorm2d(outputs),
            nn.ReLU(),
            nn.Conv2d(outputs, outputs, 3, 1, 1, bias=False),
            last := nn.BatchNorm2d(outputs),
        )
        nn.init.zeros_(last.weight)
        self.shortcut: nn.Module = nn.Identity()
        if inputs != outputs:
            pool = nn.AvgPool2d(stride, ceil_mode=True)
            self.shortcut = nn.Sequential(pool, nn.Conv2d(inputs, outputs, 1, bias=False), nn.BatchNorm2d(outputs))

    def forward(self, images: Tensor) -> Tensor:
        """The block's output."""
        return torch.relu(self.branch(images) + self.shortcut(images))


def small_network(width: int = 32) -> nn.Module:
    """A residual network of five convolution pairs, for images of 40 x 40 pixels: 0.7 million weights."""
    network = nn.Sequential(
        nn.Conv2d(3, width, 5, 2, 2, bias=False),
        nn.BatchNorm2d(width),
        nn.ReLU(),
        Residual(width, width, 1),
        Residual(width, 2 * width, 2),
        Residual(2 * width, 2 * width, 1),
        Residual(2 * width, 4 * width, 2),
        Residual(4 * width, 4 * width, 1),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Dropout(0.1),
        nn.Linear(4 * width, 55),
    )
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]


def augment(images: Tensor) -> Tensor:
    """Cut, mirror, turn and scale each image a little, shuffle its colour channels and change their strength."""
    count, _, side, _ = images.shape
    angle, scale = _spread(count) * math.radians(20), torch.exp(0.15 * _spread(count)) * CROP / side
    mirror, shift = _spread(count).sign(), 8 / side * torch.stack([_spread(count), _spread(count)], 1)
    across, along = scale * angle.cos(), scale * angle.sin()
    turn = torch.stack([mirror * across, -along, mirror * along, across], 1).view(count, 2, 2)
    grid = nn.functional.affine_grid(torch.cat([turn, shift[:, :, None]], 2), [count, 3, CROP, CROP], False)
    images = nn.functional.grid_sample(images, grid, padding_mode="reflection", align_corners=False)
    # Each image for itself: batches of one colour would spoil the running means of batch normalisation.
    order = torch.rand(count, 3).argsort(1)[:, :, None, None].expand_as(images)
    gain = 1 + 0.2 * torch.randn(count, 1, 1, 1) + 0.1 * torch.randn(count, 3, 1, 1)
    images = images.gather(1, order) * gain + 0.3 * torch.randn(count, 3, 1, 1)
    return images.contiguous(memory_format=torch.channels_last)


def _spread(count: int) -> Tensor:
    """Numbers between -1 and 1."""
    return 2 * torch.rand(count) - 1


def fit(model: nn.Module, inputs: Tensor, labels: Tensor, epochs: int, change: Callable[[Tensor], Tensor]) -> None:
    """Train with AdamW on a one-cycle schedule; only matrices decay."""
    batch = 64
    steps = epochs * (len(inputs) // batch)
    groups = [{"params": [p for p in model.parameters() if p.ndim > 1], "weight_decay": 0.05}]
    groups += [{"params": [p for p in model.parameters() if p.ndim == 1], "weight_decay": 0.0}]
    optimizer = torch.optim.AdamW(groups, 4e-3)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, 4e-3, total_steps=steps, pct_start=0.2)
    loss = nn.CrossEntropyLoss(label_smoothing=0.1)
    model.train()
    for epoch in range(epochs):
        right = 0.0
        for chosen in torch.randperm(len(inputs))[: len(inputs) // batch * batch].split(batch):
            optimizer.zero_grad()
            with torch.autocast("cpu", torch.bfloat16, enabled=choose_precision("auto", "cpu") == "bf16"):
                logits = model(change(inputs[chosen])).float()
            loss(logits, labels[chosen]).backward()
            optimizer.step()
            schedule.step()
            right += float(logits.argmax(1).eq(labels[chosen]).sum())
        print(f"epoch {epoch + 1} of {epochs}: top-1 {right / len(inputs):.3f} in training", file=sys.stderr)


@torch.no_grad()
def accuracy(model: nn.Module, inputs: Tensor, labels: Tensor) -> float:
    """Share of the inputs whose highest score is their label's."""
    model.eval()
    hits = [model(part).argmax(1).eq(truth) for part, truth in zip(inputs.split(512), labels.split(512), strict=True)]
    return float(torch.cat(hits).float().mean())


def measure_build() -> float:
    """Median seconds to build an object, over five of each class."""
    seconds = []
    for entry in CLASSES:
        for index in range(5):
            start = time.perf_counter()
            build(entry.synset, index)
            seconds.append(time.perf_counter() - start)
    return float(np.median(seconds))


if __name__ == "__main__":
    main()

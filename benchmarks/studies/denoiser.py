"""The denoiser's network of quality `trained`: Open Image Denoise's small one, trained further on views of this scene.

    python benchmarks/studies/denoiser.py --views FOLDER:4 [FOLDER:8] [--out FOLDER] [--minutes 30]

Starts at the weights that lie in the library of bpy's wheel (high dynamic range, albedo, normals, small), learns from what
`denoiser_views.py` rendered, of each folder with so many samples, and writes OUT/weights.tza, which Cycles takes for its own, and
log.csv. Every fiftieth view is only looked at. The loss is the logarithm of the mean squared error after Filmic, so each view
counts for its decibels. Images are whole, as crops lose at their edges; weights are averaged over the last steps. `--minutes`
decides how many steps there are.
"""

import argparse
import csv
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from denoiser_files import find_stock_weights, read_filmic, read_weights, write_weights
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

HELD = 50  # every so manieth view is not learned from
RATE, AVERAGING, FLOOR, PIXELS = 4e-4, 0.995, 1e-5, 2 * 256 * 256
WARM, TOLD = 30, 100  # steps
IMAGES = ("color", "albedo", "normal")
Views = Float[Tensor, "batch 9 height width"]


def main() -> None:
    """Train, telling of each hundred steps, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", nargs="+", required=True, help="folders, each with :SAMPLES behind it")
    parser.add_argument("--out", type=Path, default=Path("data/denoiser"))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--start", type=Path, help="weights to start at, in place of the stock ones")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    stock = read_weights(options.start.read_bytes() if options.start else find_stock_weights(inputs=9, small=True))
    network = UNet(stock)
    train(network, options)
    write_weights(network.arrays(), options.out / "weights.tza")


class UNet(nn.Module):
    """The network of Open Image Denoise: four levels, two convolutions on each on the way up, all of 3 x 3 with ReLU."""

    def __init__(self, arrays: dict[str, np.ndarray]) -> None:
        super().__init__()
        self.names = list(arrays)
        self.values = nn.ParameterList(torch.from_numpy(value.astype(np.float32)) for value in arrays.values())

    def arrays(self) -> dict[str, np.ndarray]:
        """The weights by name, as float16."""
        return {
            name: value.detach().numpy().astype(np.float16) for name, value in zip(self.names, self.values, strict=True)
        }

    def forward(self, images: Views) -> Float[Tensor, "batch 3 height width"]:
        """From images and guides, in the network's own scale, to clean images in the same."""
        weights = dict(zip(self.names, self.values, strict=True))

        def conv(name: str, x: Tensor, *, relu: bool = True) -> Tensor:
            x = F.conv2d(x, weights[f"{name}.weight"], weights[f"{name}.bias"], padding=1)
            return F.relu(x) if relu else x

        levels = [images]
        x = conv("enc_conv0", images)
        for name in ("enc_conv1", "enc_conv2", "enc_conv3", "enc_conv4"):
            x = F.max_pool2d(conv(name, x), 2)
            levels.append(x)
        x = conv("enc_conv5b", conv("enc_conv5a", x))
        for level, name in zip(levels[-2::-1], ("dec_conv4", "dec_conv3", "dec_conv2", "dec_conv1"), strict=True):
            x = torch.cat([F.interpolate(x, scale_factor=2.0), level], 1)
            x = conv(f"{name}b", conv(f"{name}a", x))
        return conv("dec_conv0", x, relu=False)


def train(network: UNet, options: argparse.Namespace) -> None:
    """Train for some minutes, and leave the averaged weights in the network."""
    views = [view for text in options.views for view in load_views(text)]
    learned, held = ([view for index, view in views if (index % HELD == 0) is held] for held in (False, True))
    if not learned or not held:
        raise SystemExit(f"{' '.join(options.views)}: too few views; render more by denoiser_views.py.")
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))
    optimizer = torch.optim.Adam(network.parameters(), options.rate)
    start, losses = time.monotonic(), list[float]()
    with (options.out / "log.csv").open("w", buffering=1) as file:
        log = csv.writer(file)
        log.writerow(["step", "minutes", "loss", "held, dB, mean", "held, dB, worst"])
        for step, batch in enumerate(draw_batches(learned)):
            done = (time.monotonic() - start) / 60 / options.minutes
            if step % TOLD == 0 or done >= 1:
                decibels = [-10 * math.log10(error) for view in held for error in measure(averaged, [view])]
                told = (done * options.minutes, np.mean(losses or [0]), np.mean(decibels), min(decibels))
                log.writerow([step, *(f"{value:.3f}" for value in told)])
                losses.clear()
            if done >= 1:
                break
            optimizer.param_groups[0]["lr"] = (
                options.rate * min(1, (step + 1) / WARM) * (1 + math.cos(math.pi * done)) / 2
            )
            losses.append(learn(network, batch, optimizer))
            averaged.update_parameters(network)
    network.load_state_dict(averaged.module.state_dict())


def learn(network: UNet, batch: list["View"], optimizer: torch.optim.Optimizer) -> float:
    """One step, and its loss."""
    loss = torch.log(errors(network, batch) + FLOOR).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.item()


View = dict[str, Tensor]


def load_views(text: str) -> list[tuple[int, View]]:
    """(index, view) of all views that were rendered into FOLDER, with SAMPLES: "FOLDER:SAMPLES"."""
    folder, _, samples = text.rpartition(":")
    found = []
    for path in sorted(Path(folder).glob("*.npz")):
        with np.load(path) as file:
            if "target" in file:  # an object that could not be rendered leaves an empty one
                images = [torch.from_numpy(file[f"{kind}-{samples}"]) for kind in IMAGES]
                found.append((int(path.stem), {"seen": torch.cat(images), "target": torch.from_numpy(file["target"])}))
    return found


def draw_batches(views: list[View]) -> Iterator[list[View]]:
    """Batches of views of one size and of as many pixels each, without end, in an order drawn anew for each round."""
    dice = np.random.default_rng(0)
    while True:
        batches = []
        for size in sorted({view["target"].shape[-1] for view in views}):
            alike = [view for view in views if view["target"].shape[-1] == size]
            number = max(PIXELS // size**2, 1)
            order = dice.permutation(len(alike))
            batches += [
                [permute(alike[i], dice) for i in order[at : at + number]] for at in range(0, len(order), number)
            ]
        yield from (batches[i] for i in dice.permutation(len(batches)))


def permute(view: View, dice: np.random.Generator) -> View:
    """The view with its red, green and blue exchanged, which the scene may show just as well."""
    order = torch.from_numpy(dice.permutation(3))
    color, albedo, normal = view["seen"].split(3)
    return {"seen": torch.cat([color[order], albedo[order], normal]), "target": view["target"][order]}


def measure(network: nn.Module, views: list[View]) -> list[float]:
    """Mean squared error of each view."""
    with torch.no_grad():
        return errors(network, views).tolist()


def errors(network: nn.Module, views: list[View]) -> Float[Tensor, " batch"]:
    """Mean squared error of each view after Filmic."""
    seen = torch.stack([view["seen"] for view in views]).float().contiguous(memory_format=torch.channels_last)
    target = torch.stack([view["target"] for view in views]).float()
    return (filmic(denoise(network, seen)) - filmic(target)).square().mean((1, 2, 3))


def denoise(network: nn.Module, seen: Views) -> Float[Tensor, "batch 3 height width"]:
    """What Open Image Denoise makes of scene-linear images and their guides."""
    color, albedo, normal = seen.split(3, 1)
    exposure = expose(color)[:, None, None, None]
    images = torch.cat([to_perceptual(color * exposure), albedo.clamp(0, 1), normal / 2 + 0.5], 1)
    return from_perceptual(network(images).clamp(min=0)) / exposure


def expose(color: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, " batch"]:
    """The factor that brings the geometric mean of the luminance, over bins of 16 pixels, to 0.18."""
    luminance = torch.einsum("bchw,c->bhw", color, torch.tensor([0.212671, 0.715160, 0.072169]))
    bins = F.avg_pool2d(luminance[:, None], 16).flatten(1)
    return 0.18 / bins.clamp(min=1e-8).log().mean(1).exp()


# The perceptually uniform curve of Aydin et al., 2008, as fitted by Open Image Denoise: linear, a power, a logarithm
SLOPE, POWER_SCALE, POWER, POWER_SHIFT = 1.41283765e03, 1.64593172, 4.31384981e-01, -2.94139609e-03
LOG_SCALE, LOG_OFFSET, LOG_SHIFT = 1.92653254e-01, 6.26026094e-03, 9.98620152e-01
LINEAR_TO, POWER_TO = 1.57945760e-06, 3.22087631e-02
LINEAR_END, POWER_END = 2.23151711e-03, 3.70974749e-01
LARGEST = 65504.0
SCALE = 1 / (LOG_SCALE * math.log(LARGEST + LOG_OFFSET) + LOG_SHIFT)


def to_perceptual(x: Tensor) -> Tensor:
    """From linear light to the network's scale, of which 1 is the largest half-precision number."""
    x = x.clamp(0, LARGEST)
    power = POWER_SCALE * x.clamp(min=LINEAR_TO) ** POWER + POWER_SHIFT
    logarithm = LOG_SCALE * torch.log(x + LOG_OFFSET) + LOG_SHIFT
    return SCALE * torch.where(x <= LINEAR_TO, SLOPE * x, torch.where(x <= POWER_TO, power, logarithm))


def from_perceptual(y: Tensor) -> Tensor:
    """Back to linear light."""
    y = y / SCALE
    power = ((y.clamp(min=LINEAR_END) - POWER_SHIFT) / POWER_SCALE) ** (1 / POWER)
    logarithm = torch.exp((y.clamp(max=2.5) - LOG_SHIFT) / LOG_SCALE) - LOG_OFFSET
    return torch.where(y <= LINEAR_END, y / SLOPE, torch.where(y <= POWER_END, power, logarithm))


CUBE, CURVE = (torch.from_numpy(table) for table in read_filmic())
STOPS = (-12.473931188, 12.526068812)  # of Blender's Filmic


def filmic(x: Float[Tensor, "batch 3 height width"]) -> Float[Tensor, "batch 3 height width"]:
    """Blender's view transform, from linear light to what is stored, 0 to 1."""
    stops = (torch.log2(x.clamp(min=2 ** STOPS[0])) - STOPS[0]) / (STOPS[1] - STOPS[0])
    grid = (stops.clamp(0, 1) * 2 - 1).permute(0, 2, 3, 1)[:, None]  # red is fastest in the table
    cube = CUBE.expand(len(x), *CUBE.shape)
    log = F.grid_sample(cube, grid, align_corners=True, padding_mode="border")[:, :, 0]
    place = (log / 0.66).clamp(0, 1) * (len(CURVE) - 1)
    low = place.detach().floor().clamp(max=len(CURVE) - 2)
    below, above = CURVE[low.long()], CURVE[low.long() + 1]
    return below + (above - below) * (place - low)


if __name__ == "__main__":
    main()

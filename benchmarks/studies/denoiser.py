"""The denoiser's network of quality `trained`: Open Image Denoise's small one, trained further on views of this scene.

    python benchmarks/studies/denoiser.py --views PACK [PACK] [--out FOLDER] [--minutes 30] [--start FILE] [--halfway]

Starts at the weights that lie in the library of bpy's wheel (high dynamic range, albedo, normals, small), learns from what
`denoiser_views.py` rendered and `denoiser_pack.py` put together, and writes OUT/weights.tza, which Cycles takes for its own, and
log.csv. Every fiftieth view is only looked at. The loss is the logarithm of the mean squared error after Filmic, so each view
counts for its decibels; weights are averaged over the last steps. `--minutes` decides how many steps there are. Where torch finds
a CUDA device, it trains there. With --halfway, the mean of where it started and where it came to is written, which does better on
objects unlike those that it learned from (Wortsman et al., Robust fine-tuning of zero-shot models, CVPR 2022).
"""

import argparse
import csv
import math
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from denoiser_files import Arrays, find_stock_weights, read_weights, write_weights
from jaxtyping import Bool, Float, UInt8
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

HELD_EVERY = 50  # so manieth view is not learned from
RATE, AVERAGING, FLOOR, PIXELS = 4e-4, 0.995, 1e-5, 256 * 256
WARM = 30  # steps
SEEN = re.compile(r"^(.+)-(\d+)-seen-(\d+)$", re.MULTILINE)
EDGE = 16  # pixels beside a cut of which a network cannot know what it needs
DEVICE = torch.device("cuda" if torch.cuda.is_available() else "cpu")
Views = Float[Tensor, "batch 9 height width"]
Images = Float[Tensor, "batch 3 height width"]


def main() -> None:
    """Train, telling how far it is, and write the weights."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--views", nargs="+", type=Path, required=True, help="packs")
    parser.add_argument("--out", type=Path, default=Path("data/denoiser"))
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--batch", type=int, default=2, help="views of 256 x 256 pixels in a step")
    parser.add_argument("--told", type=int, default=100, help="steps between two lines of the log")
    parser.add_argument("--rate", type=float, default=RATE)
    parser.add_argument("--start", type=Path, help="weights to start at, in place of the stock ones")
    parser.add_argument(
        "--halfway", action="store_true", help="write the mean of the weights at the start and of these"
    )
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    start = find_start(options)
    train(UNet(start).to(DEVICE), start if options.halfway else None, options)


def find_start(options: argparse.Namespace) -> Arrays:
    """The weights at which the training starts."""
    return read_weights(options.start.read_bytes() if options.start else find_stock_weights(inputs=9))


class UNet(nn.Module):
    """The network of Open Image Denoise: four levels, two convolutions on each on the way up, all of 3 x 3 with ReLU."""

    def __init__(self, arrays: Arrays) -> None:
        super().__init__()
        self.names = list(arrays)
        self.values = nn.ParameterList(torch.from_numpy(value.astype(np.float32)) for value in arrays.values())

    def arrays(self) -> Arrays:
        """The weights by name, as float16."""
        return {
            name: value.detach().cpu().numpy().astype(np.float16)
            for name, value in zip(self.names, self.values, strict=True)
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


def train(network: UNet, start: Arrays | None, options: argparse.Namespace) -> None:
    """Train for some minutes, and write the averaged weights, or their mean with some, with each line of the log."""
    pack = Pack(options.views)
    averaged = AveragedModel(network, multi_avg_fn=get_ema_multi_avg_fn(AVERAGING))
    kept = averaged.module
    assert isinstance(kept, UNet)
    optimizer = torch.optim.Adam(network.parameters(), options.rate)
    began, losses = time.monotonic(), list[Tensor]()
    with (options.out / "log.csv").open("w", buffering=1) as file:
        log = csv.writer(file)
        log.writerow(["step", "minutes", "loss", *(f"held, {kind}, dB, {what}" for kind in pack.held for what in TOLD)])
        for step, group in enumerate(pack.draw_batches(options.batch)):
            done = (time.monotonic() - began) / 60 / options.minutes
            if step % options.told == 0 or done >= 1:
                loss = torch.stack(losses).mean().item() if losses else 0.0
                told = (done * options.minutes, loss, *pack.judge(kept))
                log.writerow([step, *(f"{value:.3f}" for value in told)])
                write_weights(meet(kept.arrays(), start), options.out / "weights.tza")
                losses.clear()
            if done >= 1:
                break
            optimizer.param_groups[0]["lr"] = (
                options.rate * min(1, (step + 1) / WARM) * (1 + math.cos(math.pi * done)) / 2
            )
            losses.append(learn(network, pack, group, optimizer))
            averaged.update_parameters(network)


def meet(arrays: Arrays, others: Arrays | None) -> Arrays:
    """The mean of two networks' weights; the first ones where there is one network."""
    if others is None:
        return arrays
    return {name: (array.astype(np.float32) + others[name]) / 2 for name, array in arrays.items()}


TOLD = ("mean", "worst")


def learn(network: UNet, pack: "Pack", group: "Group", optimizer: torch.optim.Optimizer) -> Tensor:
    """One step, and its loss."""
    loss = torch.log(pack.errors(network, group.exchange_channels()) + FLOOR).mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    return loss.detach()


@dataclass(frozen=True)
class Group:
    """Views of one size, on the device.

    Attributes:
        seen, target: levels of the images.
        largest: the value of the highest level of color, albedo, normals and target.
        exposure: by which the light was multiplied.
        inside: the pixels that count.
    """

    seen: UInt8[Tensor, "batch 9 height width"]
    target: UInt8[Tensor, "batch 3 height width"]
    largest: Float[Tensor, "batch 4"]
    exposure: Float[Tensor, " batch"]
    inside: Bool[Tensor, "batch height width"]

    def __getitem__(self, index: Tensor | slice) -> "Group":
        return Group(*(value[index] for value in vars(self).values()))

    def exchange_channels(self) -> "Group":
        """The same with red, green and blue exchanged, which the scene may show just as well."""
        order = torch.randperm(3)
        seen = torch.cat([self.seen[:, order], self.seen[:, 3 + order], self.seen[:, 6:]], 1)
        return Group(seen, self.target[:, order], self.largest, self.exposure, self.inside)


class Pack:
    """What is learned from and what is only looked at, in groups of one size."""

    def __init__(self, paths: list[Path]) -> None:
        learned: dict[int, list[Group]] = {}
        held: dict[str, list[Group]] = {}
        for path in paths:
            with np.load(path) as file:
                self.cube, self.curve = (torch.from_numpy(file[name]).to(DEVICE) for name in ("cube", "curve"))
                for kind, number, samples in SEEN.findall("\n".join(file.files)):
                    one = read_group(file, f"{kind}-{number}", samples)
                    if int(number) % HELD_EVERY:
                        learned.setdefault(one.seen.shape[-1], []).append(one)
                    else:
                        held.setdefault(f"{kind}:{samples}", []).append(one)
        if not learned or not held:
            raise SystemExit(f"{' '.join(map(str, paths))}: too few views; render more by denoiser_views.py.")
        self.learned = {size: join(groups) for size, groups in learned.items()}
        self.held = dict(sorted(held.items()))

    def draw_batches(self, number: int) -> Iterator[Group]:
        """Batches of views of one size and of as many pixels each, without end, in an order drawn anew for each round."""
        dice = torch.Generator().manual_seed(0)
        while True:
            batches = []
            for size, group in self.learned.items():
                order = torch.randperm(len(group.seen), generator=dice)
                batches += [(size, part) for part in order.split(max(number * PIXELS // size**2, 1))]
            for index in torch.randperm(len(batches), generator=dice):
                size, part = batches[int(index)]
                yield self.learned[size][part.to(DEVICE)]

    def judge(self, network: nn.Module) -> Iterator[float]:
        """Mean and worst decibels of what is only looked at, of each kind and number of samples."""
        for groups in self.held.values():
            with torch.no_grad():
                found = torch.cat([self.errors(network, group) for group in groups])
            decibels = -10 * found.log10()
            yield from (decibels.mean().item(), decibels.min().item())

    def errors(self, network: nn.Module, group: Group) -> Float[Tensor, " batch"]:
        """Mean squared error of each view after Filmic."""
        seen = group.seen.float() / 255 * group.largest[:, :3].repeat_interleave(3, 1)[..., None, None]
        target = group.target.float() / 255 * group.largest[:, 3, None, None, None]
        cleaned = network(seen.contiguous(memory_format=torch.channels_last)).clamp(min=0)
        shown, wanted = (self.show(images, group.exposure) for images in (cleaned, target))
        squares = (shown - wanted).square().mean(1) * group.inside
        return squares.sum((1, 2)) / group.inside.sum((1, 2))

    def show(self, images: Images, exposure: Float[Tensor, " batch"]) -> Images:
        """What is stored of images in the network's scale."""
        return filmic(from_perceptual(images) / exposure[:, None, None, None], self.cube, self.curve)


def read_group(file: np.lib.npyio.NpzFile, view: str, samples: str) -> Group:
    """One view of a pack, with so many samples."""
    target, cut = file[f"{view}-target"], file[f"{view}-cut"]
    (above, below, left, right), (rows, columns) = EDGE * cut.astype(int), target.shape[1:]
    inside = np.zeros((rows, columns), bool)
    inside[above : rows - below, left : columns - right] = True
    arrays = (file[f"{view}-seen-{samples}"], target, file[f"{view}-largest"], file[f"{view}-exposure"], inside)
    return Group(*(torch.from_numpy(np.asarray(array)[None]).to(DEVICE) for array in arrays))


def join(groups: list[Group]) -> Group:
    """Several groups in one."""
    return Group(*(torch.cat(values) for values in zip(*(vars(group).values() for group in groups), strict=True)))


def expose(color: Images) -> Float[Tensor, " batch"]:
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


STOPS = (-12.473931188, 12.526068812)  # of Blender's Filmic


def filmic(x: Images, table: Float[Tensor, "3 33 33 33"], curve: Float[Tensor, " n"]) -> Images:
    """Blender's view transform, from linear light to what is stored, 0 to 1."""
    stops = (torch.log2(x.clamp(min=2 ** STOPS[0])) - STOPS[0]) / (STOPS[1] - STOPS[0])
    grid = (stops.clamp(0, 1) * 2 - 1).permute(0, 2, 3, 1)[:, None]  # red is fastest in the table
    cube = table.expand(len(x), *table.shape)
    log = F.grid_sample(cube, grid, align_corners=True, padding_mode="border")[:, :, 0]
    place = (log / 0.66).clamp(0, 1) * (len(curve) - 1)
    low = place.detach().floor().clamp(max=len(curve) - 2)
    below, above = curve[low.long()], curve[low.long() + 1]
    return below + (above - below) * (place - low)


if __name__ == "__main__":
    main()

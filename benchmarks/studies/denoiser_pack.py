"""Rendered views in one small file, for a machine without Blender to learn from: what the network sees, in bytes.

    python benchmarks/studies/denoiser_pack.py FOLDER:3,3,4 [FOLDER:8,12] --out FILE [--part 1/3]

Takes what `denoiser_views.py` rendered, each view of a folder with one of these numbers of samples, in turn. Images are in the
network's own scale, 256 levels of it, the largest value of each apart. Of seven views in eight only the square around the object
is kept, as most of a picture is floor; the loss leaves out what lies beside a side that was cut. Blender's Filmic is in the file
too.
"""

import argparse
import zipfile
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from denoiser import HELD_EVERY, expose, to_perceptual
from denoiser_files import read_filmic
from numpy import ndarray

WHOLE_EVERY = 8
STEP, MARGIN, SMALLEST = 32, 24, 96  # pixels
LEVELS = 255
IMAGES = ("color", "albedo", "normal")


def main() -> None:
    """Write the pack."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("views", nargs="+", help="folders, each with :SAMPLES behind it")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--part", default="1/1", help="which part of the views")
    options = parser.parse_args()
    part, parts = map(int, options.part.split("/"))
    cube, curve = read_filmic()
    with zipfile.ZipFile(options.out, "w", zipfile.ZIP_LZMA) as file:
        write_array(file, "cube", cube)
        write_array(file, "curve", curve)
        for text in options.views:
            folder, _, samples = text.rpartition(":")
            for path in sorted(Path(folder).glob("*.npz")):
                if int(path.stem) % parts == part - 1:
                    for name, array in pack_view(path, choose(samples.split(","), path)):
                        write_array(file, f"{Path(folder).name}-{path.stem}-{name}", array)


def write_array(file: zipfile.ZipFile, name: str, array: ndarray) -> None:
    """One array as numpy keeps it."""
    with file.open(f"{name}.npy", "w") as entry:
        np.lib.format.write_array(entry, array)


def choose(samples: list[str], path: Path) -> str:
    """The number of samples of a view; one after the other, also of those that are only looked at."""
    number = int(path.stem)
    return samples[(number // HELD_EVERY if number % HELD_EVERY == 0 else number) % len(samples)]


def pack_view(path: Path, samples: str) -> Iterator[tuple[str, ndarray]]:
    """The arrays of a view, by name; none of an object that could not be rendered."""
    with np.load(path) as file:
        if "target" not in file:
            return
        color, albedo, normal, target = (
            file[name].astype(np.float32) for name in (*(f"{kind}-{samples}" for kind in IMAGES), "target")
        )
    number = int(path.stem)
    rows, columns, cut = find_window(normal, whole=number % WHOLE_EVERY == 0 or number % HELD_EVERY == 0)
    exposure = float(expose(torch.from_numpy(color)[None]))
    seen = (perceptual(color, exposure), albedo.clip(0, 1), normal / 2 + 0.5)
    levels, largest = zip(*(quantise(image[:, rows, columns]) for image in seen), strict=True)
    yield f"seen-{samples}", np.concatenate(levels)
    levels, brightest = quantise(perceptual(target, exposure)[:, rows, columns])
    yield "target", levels
    yield "largest", np.array([*largest, brightest], np.float32)
    yield "exposure", np.array(exposure, np.float32)
    yield "cut", np.array(cut)


def find_window(normals: ndarray, *, whole: bool) -> tuple[slice, slice, tuple[bool, ...]]:
    """Rows and columns to keep, and whether something was cut off above, below, left and right."""
    size = normals.shape[1]
    floor = np.median(normals.reshape(3, -1), axis=1)
    found = np.nonzero(np.abs(normals - floor[:, None, None]).max(axis=0) > 0.1)
    if whole or not len(found[0]):
        return slice(0, size), slice(0, size), (False,) * 4
    low, high = (np.array([limit(axis) for axis in found]) for limit in (np.min, np.max))
    side = int(-(-max((high - low).max() + 2 * MARGIN, SMALLEST) // STEP) * STEP)
    side = min(side, size)
    start = np.clip((low + high) // 2 - side // 2, 0, size - side)
    (top, left), (bottom, right) = (int(value) for value in start), (int(value) + side for value in start)
    return slice(top, bottom), slice(left, right), (top > 0, bottom < size, left > 0, right < size)


def perceptual(image: ndarray, exposure: float) -> ndarray:
    """Scene-linear light in the network's scale."""
    return to_perceptual(torch.from_numpy(image * exposure)).numpy()


def quantise(image: ndarray) -> tuple[ndarray, float]:
    """Levels of an image's values, and the largest value."""
    largest = max(float(image.max()), 1e-6)
    return (image / largest * LEVELS + 0.5).astype(np.uint8), largest


if __name__ == "__main__":
    main()

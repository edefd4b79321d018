"""Parquet tables with a row for each view: a picture, class, object and every factor, as viewers of hubs show them."""

import io
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from jaxtyping import Int
from numpy import ndarray
from PIL import Image

from iebench.dataset.reader import Dataset
from iebench.errors import IebenchError
from iebench.loader.decode import Decoder

FOLDER = "views"
SIDE = 128  # pixels of a picture, where the views are larger
ROWS_OF_GROUP, ROWS_OF_FILE = 1000, 100_000  # a viewer reads a group at a time
_PICTURE = pa.struct([("bytes", pa.binary()), ("path", pa.string())])  # as the library `datasets` stores images
_FIXED = {
    "image": _PICTURE,
    "object_index": pa.int64(),
    "view": pa.int32(),
    "synset": pa.string(),
    "object_id": pa.string(),
    "label": pa.int64(),
    "class": pa.string(),
}


@dataclass(frozen=True)
class ViewTable:
    """One file of the table.

    Attributes:
        name: in the dataset's folder.
        split: of its rows.
    """

    name: str
    split: str


def write_view_tables(
    dataset: Dataset, root: Path, side: int = SIDE, progress: Callable[[list[int]], Iterable[int]] = iter
) -> list[ViewTable]:
    """Write `views/SPLIT-00000-of-00001.parquet …`, in the order of the objects.

    Pictures are the JPEGs of the shards, byte for byte, where these have no more than `side` pixels and true colors; else
    they are made of them. Factors are float64, as in `latents.npy`.

    Args:
        dataset: whose views are told.
        root: the folder to write into.
        side: of the pictures in pixels, at most.
        progress: wraps the iteration over objects.

    Raises:
        IebenchError: a view is damaged, or a factor has the name of another column.
    """
    (root / FOLDER).mkdir()
    schema, draw = make_schema(dataset), make_pictures(dataset, side)
    written = []
    for split in dataset.card.splits:
        chunks = _divide(dataset.split_indices(split), max(ROWS_OF_FILE // dataset.num_views, 1))
        for number, objects in enumerate(chunks):
            name = f"{FOLDER}/{split}-{number:05d}-of-{len(chunks):05d}.parquet"
            with pq.ParquetWriter(root / name, schema, write_page_index=True) as file:
                for table in _read_groups(dataset, progress(objects.tolist()), draw, schema):
                    file.write_table(table)
            written.append(ViewTable(name, split))
    return written


def make_schema(dataset: Dataset) -> pa.Schema:
    """The columns, with what the library `datasets` needs to show pictures."""
    if double := sorted(set(dataset.space.names) & set(_FIXED)):
        raise IebenchError(f"{dataset.root} has a factor called {double[0]!r}, as a column of its views is: rename it.")
    kinds = {**_FIXED, **dict.fromkeys(dataset.space.names, pa.float64())}
    features = {name: _describe_feature(name, kind) for name, kind in kinds.items()}
    metadata = {"huggingface": json.dumps({"info": {"features": features}})}
    return pa.schema(list(kinds.items()), metadata=metadata)


def _describe_feature(name: str, kind: pa.DataType) -> dict[str, str]:
    known = {"double": "float64"}
    return {"_type": "Image"} if name == "image" else {"_type": "Value", "dtype": known.get(str(kind), str(kind))}


def make_pictures(dataset: Dataset, side: int) -> Callable[[int], list[bytes]]:
    """A function from an object to its pictures, as JPEGs."""
    card, views = dataset.card, np.arange(dataset.num_views)

    def read(index: int) -> Iterator[bytes]:
        return dataset.read_jpegs(np.full_like(views, index), views)

    if card.image_size <= side and card.channels == "rgb":
        return lambda index: list(read(index))
    decoder = Decoder(card, min(side, card.image_size))
    images = np.empty((dataset.num_views, decoder.size, decoder.size, 3), np.uint8)

    def draw(index: int) -> list[bytes]:
        decoder.decode_views(dataset, np.full_like(views, index), views, images)
        return [_encode(image) for image in images]

    return draw


def _encode(image: ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(image).save(content, "JPEG", quality=90)
    return content.getvalue()


def _divide(objects: Int[ndarray, " n"], size: int) -> list[Int[ndarray, " m"]]:
    return [objects[start : start + size] for start in range(0, len(objects), size)]


def _read_groups(
    dataset: Dataset, objects: Iterable[int], draw: Callable[[int], list[bytes]], schema: pa.Schema
) -> Iterator[pa.Table]:
    """The rows of some objects, some objects at a time."""
    rows: list[dict[str, Any]] = []
    for index in objects:
        rows += _rows_of(dataset, index, draw(index))
        if len(rows) >= ROWS_OF_GROUP:
            yield pa.Table.from_pylist(rows, schema)
            rows = []
    if rows:
        yield pa.Table.from_pylist(rows, schema)


def _rows_of(dataset: Dataset, index: int, pictures: list[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of one object."""
    label, synset, object_id = int(dataset.labels[index]), str(dataset.synsets[index]), str(dataset.object_ids[index])
    about = {"synset": synset, "object_id": object_id, "label": label, "class": dataset.class_of(label).name}
    latents = np.asarray(dataset.latents[index]).tolist()
    for view, (picture, values) in enumerate(zip(pictures, latents, strict=True)):
        image = {"bytes": picture, "path": f"{synset}-{object_id}.{view:02d}.jpg"}
        factors = dict(zip(dataset.space.names, values, strict=True))
        yield {"image": image, "object_index": index, "view": view, **about, **factors}

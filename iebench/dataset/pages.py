"""A dataset's card for hubs: `README.md` with the YAML header that they read, and Croissant metadata."""

import json
from pathlib import Path
from typing import Any

from iebench.catalogue import count_labels
from iebench.dataset.card import DatasetCard
from iebench.dataset.card_parts import FileEntry, ShardEntry

README, CROISSANT = "README.md", "croissant.json"
_SIZES = ((10**3, "n<1K"), (10**4, "1K<n<10K"), (10**5, "10K<n<100K"), (10**6, "100K<n<1M"), (10**7, "1M<n<10M"))
_COLUMNS = {"index": "sc:Integer", "split": "sc:Text", "synset": "sc:Text", "label": "sc:Integer"} | dict.fromkeys(
    ("object_id", "shard"), "sc:Text"
)


def write_pages(root: Path, card: DatasetCard) -> None:
    """Write both beside the card. They tell nothing that the card does not, and may be edited."""
    (root / README).write_text(write_readme(card), encoding="utf-8")
    (root / CROISSANT).write_text(json.dumps(describe_croissant(card), indent=2) + "\n", encoding="utf-8")


def write_readme(card: DatasetCard) -> str:
    """The page that a hub shows."""
    factors = "\n".join(f"| `{f.name}` | {f.low:.6g} | {f.high:.6g} |" for f in card.space.factors)
    splits = "\n".join(f"| {split} | {n.objects} | {n.views} |" for split, n in card.splits.items())
    files = "\n".join(f"  - split: {split}\n    path: {split}-*.tar" for split in card.splits)
    seed = "given latents" if card.seed is None else f"seed {card.seed}"
    design = "" if card.design is None else f"The views of each object are a design: {card.design}.\n"
    return f"""---
pretty_name: {json.dumps(card.name)}
task_categories:
- image-feature-extraction
- image-classification
tags:
- 3d
- synthetic
- equivariance
- invariance
- 3DIEBench
- webdataset
size_categories:
- {_size_category(sum(n.views for n in card.splits.values()))}
configs:
- config_name: default
  data_files:
{files}
---

# {card.name}

Views of 3D objects in the manner of 3DIEBench (Garrido, Najman and LeCun, ICML 2023): {card.num_views} views of each object,
{card.image_size} x {card.image_size} pixels, in which all that differs between two views is known.
Factor space `{card.space.name}`, {seed}, quality `{card.quality}`. The channels of the JPEGs are in the order `{card.channels}`.
{design}
| split | objects | views |
|---|---|---|
{splits}

| factor | least | greatest |
|---|---|---|
{factors}

Angles are radians, extrinsic x-y-z; hues are parts of a turn of the colour circle.

## Reading

```python
from iebench import PairDataset

for pair in PairDataset("…", transform="rotation").loader(batch_size=256):
    pair.source, pair.target, pair.transform, pair.label
```

The shards are plain WebDataset: a sample is one object, `KEY.00.jpg …`, `KEY.latents.npy`, `KEY.json`. `latents.npy`,
`offsets.npy` and `objects.csv` are tables over all objects; `dataset.json` has the SHA-256 of every file.
"""


def describe_croissant(card: DatasetCard) -> dict[str, Any]:
    """Croissant 1.0 metadata as plain values: every file with its hash, and the table of objects as records."""
    return {
        "@context": _CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": "http://mlcommons.org/croissant/1.0",
        "name": card.name,
        "description": f"Views of 3D objects with known rotation, floor colour and light, factor space {card.space.name}, "
        f"{card.num_views} views of each object at {card.image_size} pixels.",
        "keywords": ["3DIEBench", "equivariance", "invariance", "synthetic images"],
        "distribution": [_describe_file(name, file) for name, file in card.all_files.items()],
        "recordSet": [
            {
                "@type": "cr:RecordSet",
                "@id": "objects",
                "name": "objects",
                "description": f"One row for each object; label is the class index, of {count_labels(card.classes)}.",
                "field": [_describe_column(name, kind) for name, kind in _COLUMNS.items()],
            }
        ],
    }


def _describe_file(name: str, file: FileEntry | ShardEntry) -> dict[str, Any]:
    kinds = {".tar": "application/x-tar", ".csv": "text/csv", ".log": "text/plain", ".npy": "application/octet-stream"}
    return {
        "@type": "cr:FileObject",
        "@id": name,
        "name": name,
        "contentUrl": name,
        "contentSize": f"{file.bytes} B",
        "encodingFormat": kinds[Path(name).suffix],
        "sha256": file.sha256,
    }


def _describe_column(name: str, kind: str) -> dict[str, Any]:
    source = {"fileObject": {"@id": "objects.csv"}, "extract": {"column": name}}
    return {"@type": "cr:Field", "@id": f"objects/{name}", "name": name, "dataType": kind, "source": source}


def _size_category(num_views: int) -> str:
    return next((word for limit, word in _SIZES if num_views < limit), "n>10M")


# The context that the specification of Croissant 1.0 asks every file to carry (docs.mlcommons.org/croissant).
_CONTEXT = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "cr": "http://mlcommons.org/croissant/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileObject": "cr:fileObject",
    "fileProperty": "cr:fileProperty",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}

"""Pushing a dataset: its files byte for byte, a table of views, a page and Croissant metadata that tell of both."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

from iebench.dataset.card import CARD, describe_file
from iebench.dataset.pages import CROISSANT, README, describe_croissant, write_readme
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.errors import IebenchError
from iebench.limits import MAX_PAGE_BYTES
from iebench.sharing.publish import publish
from iebench.sharing.view_table import FOLDER, SIDE, ViewTable, write_view_tables
from iebench.untrusted import read_text, refusals

OURS = (f"*-{'[0-9]' * 6}.tar", f"{FOLDER}/*.parquet")  # shards, as `iebench.dataset.shards` names them, and tables
_HEAD = "## Views as a table\n"


def push_dataset(
    dataset: Dataset, target: str, side: int = SIDE, progress: Callable[[list[int]], Iterable[int]] = iter
) -> str:
    """Bring a dataset to a folder or to the hub: what is read from there is the same, to the byte.

    Beside its files stand `views/*.parquet` with a row for each view, `README.md` and `croissant.json`. A README.md that
    was edited keeps what it says.

    Args:
        dataset: what is pushed; one at a URL is fetched whole.
        target: a folder, or hf://datasets/ORG/NAME.
        side: pixels of the table's pictures, at most.
        progress: wraps the iteration over objects.

    Returns:
        Where it is: the folder, or the address with the commit.

    Raises:
        UsageError: the target exists, or is no place for a dataset.
        IebenchError: the dataset is damaged, or the hub refuses.
    """

    def make(root: Path) -> None:
        _check_whole(dataset)
        tables = write_view_tables(dataset, root, side, progress)
        (root / README).write_text(write_page(dataset, tables), encoding="utf-8")
        described = describe_croissant(dataset.card, {table.name: describe_file(root / table.name) for table in tables})
        (root / CROISSANT).write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")

    def kept() -> dict[str, Path]:
        return {name: dataset.locate(name) for name in dataset.card.all_files} | {CARD: dataset.root / CARD}

    return publish(target, "dataset", make, kept, OURS)


def _check_whole(dataset: Dataset) -> None:
    for name in dataset.card.all_files:
        dataset.locate(name)
    if problems := verify_dataset(dataset.root):
        more = f", and {len(problems) - 1} more such faults" if len(problems) > 1 else ""
        raise IebenchError(f"{problems[0].rstrip('.')}{more}; what is damaged is not pushed.")


def write_page(dataset: Dataset, tables: Sequence[ViewTable]) -> str:
    """The page that the hub shows: that of the dataset, whose header leads the viewer to the table of views."""
    from huggingface_hub import RepoCard

    path = dataset.root / README
    with refusals(path, "remove it, and it is written anew"):
        text = read_text(path, MAX_PAGE_BYTES) if path.exists() else write_readme(dataset.card)
        page = RepoCard(text, ignore_metadata_errors=True)
        page.data["configs"] = _describe_configs(dataset, tables)
        body = str(page)
    return body if _HEAD in body else f"{body.rstrip()}\n\n{_describe_table(dataset)}"


def _describe_configs(dataset: Dataset, tables: Sequence[ViewTable]) -> list[dict[str, Any]]:
    """What `datasets.load_dataset` finds: views as rows; beside them it would take shards for Parquet too."""
    views = [
        {"split": split, "path": [table.name for table in tables if table.split == split]}
        for split in dataset.card.splits
    ]
    return [{"config_name": "views", "default": True, "data_files": views}]


def _describe_table(dataset: Dataset) -> str:
    factors = ", ".join(f"`{name}`" for name in dataset.space.names)
    return f"""{_HEAD}
`{FOLDER}/*.parquet` has a row for each view: `image`, at most so large as viewers need it, `synset`, `object_id`, `label`,
`class`, `view`, and the factors {factors}. Views at full size are in the shards alone.

```python
from datasets import load_dataset

views = load_dataset("…", "views", split="{next(iter(dataset.card.splits))}")
```
"""

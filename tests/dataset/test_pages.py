"""What hubs read."""

import json

import yaml

from iebench.dataset.pages import CROISSANT, README
from iebench.dataset.reader import Dataset


def test_the_header_is_yaml_that_names_every_split(drawn_dataset):
    _, header, body = (drawn_dataset / README).read_text().split("---\n", 2)
    told = yaml.safe_load(header)
    paths = {file["split"]: file["path"] for file in told["configs"][0]["data_files"]}
    assert paths == {"train": "train-*.tar", "val": "val-*.tar"}
    assert all(list(drawn_dataset.glob(path)) for path in paths.values())
    assert told["size_categories"] == ["n<1K"] and "| `light_hue` | 0 | 1 |" in body


def test_croissant_names_every_file_with_its_hash(drawn_dataset):
    told = json.loads((drawn_dataset / CROISSANT).read_text())
    card = Dataset(drawn_dataset).card
    files = {file["@id"]: file["sha256"] for file in told["distribution"]}
    assert files == {name: file.sha256 for name, file in card.all_files.items()}
    columns = [field["source"]["extract"]["column"] for field in told["recordSet"][0]["field"]]
    assert columns == (drawn_dataset / "objects.csv").read_text().splitlines()[0].split(",")

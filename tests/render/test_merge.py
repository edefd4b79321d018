"""Parts become one dataset only where they are of one."""

import json

import pytest

from iebench.catalogue import ObjectClass
from iebench.errors import UsageError
from iebench.render.merge import merge_parts


@pytest.mark.parametrize(
    ("label", "synset", "told"),
    [
        (0, "cone", "class cone with label 0, and another part has bead"),
        (1, "bead", "another part has bead with label 0"),
    ],
)
def test_parts_with_other_labels_are_refused(make_dataset, tmp_path, label, synset, told):
    for number, entry in enumerate((ObjectClass(0, "bead", "bead"), ObjectClass(label, synset, synset)), start=1):
        card = make_dataset(f"part-{number}", classes=(entry,), objects_per_class=1).root / "dataset.json"
        card.write_text(json.dumps(json.loads(card.read_text()) | {"settings": {"part": f"{number}/2"}}))
    with pytest.raises(UsageError, match=told):
        merge_parts([tmp_path / "part-1", tmp_path / "part-2"], tmp_path / "out")
    assert not (tmp_path / "out").exists()

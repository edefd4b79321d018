"""Classes and splits."""

import pytest

from iebench.catalogue import CLASSES, find_class, select_classes
from iebench.dataset.splits import split_objects
from iebench.errors import UsageError


def test_labels_are_ranks_of_synsets_as_in_the_release():
    assert len(CLASSES) == 55
    assert [entry.synset for entry in CLASSES] == sorted(entry.synset for entry in CLASSES)
    assert [entry.label for entry in CLASSES] == list(range(55))
    assert find_class("chair").label == 18 and find_class("04379243").name == "table"


@pytest.mark.parametrize(
    ("text", "names"), [("2", ["airplane", "trash bin"]), ("mug, trash_bin", ["trash bin", "mug"])]
)
def test_selection(text, names):
    assert [entry.name for entry in select_classes(text)] == names


@pytest.mark.parametrize(
    ("text", "message"), [("56", "from 1 to 55"), ("0", "from 1 to 55"), ("chiar", "'chair'"), (",", "empty")]
)
def test_wrong_selections_are_refused_with_the_mend(text, message):
    with pytest.raises(UsageError, match=message):
        select_classes(text)


def test_split_is_80_to_20_and_blind_to_order():
    names = [("03001627", str(index)) for index in range(5000)]
    splits = split_objects(names)
    assert len(splits["train"]) / 5000 == pytest.approx(0.8, abs=0.02)
    assert sorted(splits["train"] + splits["val"]) == sorted(names)
    assert split_objects(reversed(names)) == splits


def test_every_class_with_two_objects_has_one_in_each_split():
    for count in range(1, 6):
        for synset in ("a", "b", "c", "d", "e"):
            splits = split_objects([(synset, f"{count}-{index}") for index in range(count)])
            assert splits["train"] and (splits["val"] or count == 1)


def test_an_objects_split_does_not_depend_on_the_others_in_large_classes():
    names = [("a", str(index)) for index in range(300)]
    whole, half = split_objects(names), split_objects(names[:150])
    assert set(half["train"]) <= set(whole["train"])

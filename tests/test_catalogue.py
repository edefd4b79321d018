"""Classes and splits."""

import pytest

from iebench.catalogue import CLASSES, ObjectClass, count_labels, find_class, select
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
    assert [entry.name for entry in select(text)] == names


@pytest.mark.parametrize(
    ("text", "message"), [("56", "from 1 to 55"), ("0", "from 1 to 55"), ("chiar", "'chair'"), (",", "empty")]
)
def test_wrong_selections_are_refused_with_the_mend(text, message):
    with pytest.raises(UsageError, match=message):
        select(text)


OWN = tuple(
    ObjectClass(label, name.replace(" ", "_"), name) for label, name in enumerate(("bathtub", "TV set", "zebra"))
)


@pytest.mark.parametrize(
    ("text", "labels"), [("2", [0, 1]), ("zebra, bathtub", [0, 2]), ("tv-set", [1]), ("TV_set", [1])]
)
def test_classes_of_ones_own_are_selected_alike(text, labels):
    assert [entry.label for entry in select(text, OWN)] == labels


@pytest.mark.parametrize(
    ("text", "message"), [("4", "from 1 to 3"), ("zebr", "'zebra'"), ("chair", "there are bathtub, TV set, zebra")]
)
def test_hints_name_the_classes_to_choose_from(text, message):
    with pytest.raises(UsageError, match=message):
        select(text, OWN)


def test_a_class_may_be_named_like_a_number():
    assert select("7", (ObjectClass(0, "7", "7"), ObjectClass(1, "8", "8")))[0].name == "7"


def test_a_classifier_of_the_benchmark_has_55_logits_whichever_classes_occur():
    assert count_labels(CLASSES) == count_labels(CLASSES[3:5]) == 55
    assert count_labels(OWN) == 3 and count_labels((*CLASSES, ObjectClass(55, "04507155", "umbrella"))) == 56


def test_turns_are_written_only_where_they_are_stated_and_do_not_tell_classes_apart():
    bowl = ObjectClass(10, "02880940", "bowl", turns=0)
    assert bowl == CLASSES[10] and CLASSES[10].turns is None
    assert bowl.to_json() == {**CLASSES[10].to_json(), "turns": 0}
    assert [ObjectClass.from_json(entry.to_json()).turns for entry in (bowl, CLASSES[10])] == [0, None]


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

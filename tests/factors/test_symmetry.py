import numpy as np
import pytest

from iebench.catalogue import CLASSES
from iebench.errors import UsageError
from iebench.factors.rotations import quaternion_to_matrix
from iebench.factors.symmetry import built_in_classes, find_symmetry, select_built_in, symmetries


def test_every_class_has_a_row_of_its_own_name() -> None:
    assert {row.synset: row.name for row in symmetries().values()} == {c.synset: c.name for c in CLASSES}
    assert all(row.front for row in symmetries().values())


def test_rotations_turn_about_the_up_axis() -> None:
    half = quaternion_to_matrix(find_symmetry("04379243").rotations())
    assert half == pytest.approx(np.stack([np.eye(3), np.diag([-1, -1, 1])]), abs=1e-12)
    assert find_symmetry("02958343").rotations() == pytest.approx(np.array([[0, 0, 0, 1]]))
    bowl = find_symmetry("02880940").rotations(steps=8)
    assert np.linalg.norm(bowl, axis=1) == pytest.approx(np.ones(8))
    assert quaternion_to_matrix(bowl)[2] @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-12)


def test_an_unknown_synset_is_refused() -> None:
    with pytest.raises(UsageError, match="00000000"):
        find_symmetry("00000000")


def test_classes_are_selected_by_name_or_number() -> None:
    assert built_in_classes()[:55] == CLASSES
    assert [entry.name for entry in select_built_in("mug, chair")] == ["chair", "mug"]
    assert select_built_in("55") == CLASSES
    with pytest.raises(UsageError, match="chiar"):
        select_built_in("chiar")

import numpy as np
import pytest

from iebench.catalogue import CLASSES
from iebench.errors import UsageError
from iebench.factors.rotations import quaternion_to_matrix
from iebench.factors.symmetry import built_in_classes, find_built_in, read_fronts, rotations_of_turns


def test_every_class_has_a_row_of_its_own_name() -> None:
    assert built_in_classes()[:55] == CLASSES
    assert all(entry.turns is not None and read_fronts()[entry.synset] for entry in built_in_classes())


def test_rotations_turn_about_the_up_axis() -> None:
    half = quaternion_to_matrix(rotations_of_turns(2))
    assert half == pytest.approx(np.stack([np.eye(3), np.diag([-1, -1, 1])]), abs=1e-12)
    assert rotations_of_turns(1) == pytest.approx(np.array([[0, 0, 0, 1]]))
    bowl = rotations_of_turns(0, steps=8)
    assert np.linalg.norm(bowl, axis=1) == pytest.approx(np.ones(8))
    assert quaternion_to_matrix(bowl)[2] @ [1, 0, 0] == pytest.approx([0, 1, 0], abs=1e-12)


def test_the_built_in_classes_state_their_turns() -> None:
    assert [find_built_in(synset).turns for synset in ("04379243", "02958343", "02880940")] == [2, 1, 0]


def test_an_unknown_synset_is_refused() -> None:
    with pytest.raises(UsageError, match="00000000"):
        find_built_in("00000000")

import numpy as np

from iebench.render.dice import Dice


def test_draws_are_the_same_everywhere() -> None:
    dice = Dice(1, "03001627", 7)
    drawn = [dice(), dice(2, 3), float(dice.integer(0, 9)), float(dice.chance())]
    assert drawn == [0.008539853777932538, 2.712448789493795, 2.0, 0.0]


def test_another_key_gives_other_draws() -> None:
    assert Dice(1, "03001627", 7).noise(4).tolist() != Dice(1, "03001627", 8).noise(4).tolist()


def test_laws() -> None:
    dice = Dice("laws")
    numbers = dice.noise(4000)
    assert numbers.min() >= 0 and numbers.max() < 1
    assert abs(numbers.mean() - 0.5) < 0.02
    whole = [dice.integer(3, 5) for _ in range(300)]
    assert set(whole) == {3, 4, 5}
    picked = [dice.choice("ab") for _ in range(300)]
    assert 100 < picked.count("a") < 200
    assert np.mean([dice.chance(0.2) for _ in range(2000)]) < 0.25


def test_variants_take_turns() -> None:
    assert [Dice("any", turn=turn).variant("abc") for turn in range(5)] == list("abcab")

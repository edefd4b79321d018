"""Designs: what moves has its levels, what is held stays bit for bit, and the card tells all of it."""

import json

import numpy as np
import pytest
from scipy.spatial.transform import Rotation, Slerp

from iebench.errors import UsageError
from iebench.factors.designs import Crossed, Trajectory, design_from_json
from iebench.factors.parse import custom_space
from iebench.factors.parse_design import parse_crossed, parse_trajectory, read_crossed
from iebench.factors.rotations import angle_between, euler_to_quaternion
from iebench.factors.space import ROTATION, get_space

SPACE = get_space("3diebench")
MUG = ("03797390", "p1-000000")


def lay_out(design, space=SPACE, seed=3):
    return design.arrange(space, space.sample(seed, *MUG, design.num_draws))


def test_in_a_crossed_design_everything_else_is_the_base_bit_for_bit():
    design = parse_crossed("rotation:3", "light_hue, floor_hue:2", SPACE, 3)
    latents, base = lay_out(design).reshape(4, 2, 3, 7), SPACE.sample(3, *MUG, 1)[0]
    assert str(design) == "crossed light_hue:4 x floor_hue:2 x rotation:3" and design.num_views == 24
    moving, hues = SPACE.columns(ROTATION), SPACE.columns(["light_hue", "floor_hue"])
    others = SPACE.columns(["light_theta", "light_phi"])
    assert (latents[..., others] == base[others]).all()
    assert (latents[..., moving] == latents[:1, :1][..., moving]).all() and len(np.unique(latents[..., 0])) == 3
    np.testing.assert_array_equal(latents[:, 1, 2, hues[0]], [0, 0.25, 0.5, 0.75])  # a circle: 1 would be 0 again
    np.testing.assert_array_equal(latents[2, :, 0, hues[1]], [0, 0.5])


def test_levels_are_of_the_space_the_same_for_all_objects_and_more_of_them_leave_the_first():
    space = custom_space("3diebench", ["light_hue=0.2:0.8", "rotation_z=-10:10deg"])
    few, more = (parse_crossed(f"rotation:{n}", "light_hue:3", space, 0).axes for n in (2, 5))
    assert [level[0] for level in few[0].levels] == pytest.approx([0.2, 0.5, 0.8])
    assert few[1].levels == more[1].levels[:2] != parse_crossed("rotation:2", "light_hue", space, 1).axes[1].levels
    assert max(abs(level[2]) for level in more[1].levels) <= np.radians(10)


def test_a_file_says_which_levels(tmp_path):
    path = tmp_path / "grid.toml"
    path.write_text(
        '[vary]\nrotation = [[0, 0, 0], [0, "30deg", 0.5]]\n[hold]\nlight_hue = [0.5, 0.1]\nlight_theta = 2\n'
    )
    design = read_crossed(path, SPACE, 0)
    assert design.axes[-1].levels == ((0, 0, 0), (0, pytest.approx(np.pi / 6), 0.5))
    assert design.axes[0].levels == ((0.5,), (0.1,)) and design.shape == (2, 2, 2)
    again = design_from_json(json.loads(json.dumps(design.to_json())))
    assert again == design


@pytest.mark.parametrize(
    ("vary", "hold", "words"),
    [
        ("rotaton", "light_hue", "no factor or group 'rotaton': did you mean 'rotation'"),
        ("translation", "light_hue", "no factor or group 'translation': did you mean 'rotation'"),
        ("rotation,floor_hue", "light_hue", "one factor or group is varied"),
        ("rotation:1", "light_hue", "rotation cannot have 1 levels"),
        ("rotation:x", "light_hue", "--vary 'rotation:x' is not understood"),
        ("rotation", "light_hue,", "--hold 'light_hue,' is not understood"),
        ("light_hue", "color", "light_hue is in color and in light_hue"),
        ("rotation:4", "floor_hue,rotation:3", "rotation is varied and held"),
        ("light_hue:101", "rotation:100", "10100 views of each object: take fewer"),
        ("light_hue:999999999", "rotation", "cannot have 999999999 levels"),
    ],
)
def test_grids_that_cannot_be_are_named(vary, hold, words):
    with pytest.raises(UsageError, match=words):
        parse_crossed(vary, hold, SPACE, 0)


def test_factors_that_do_not_move_are_named():
    with pytest.raises(UsageError, match=r"light_hue needs 2 or more levels, all different, and has 0\.3, 0\.3"):
        parse_crossed("rotation", "light_hue", custom_space("3diebench", ["light_hue=0.3"]), 0)
    with pytest.raises(UsageError, match="draws the three angles together: take rotation in place of rotation_z"):
        parse_crossed("rotation_z", "light_hue", get_space("so3"), 0)
    still = custom_space("3diebench", [f"{name}=0" for name in ROTATION])
    with pytest.raises(UsageError, match="nothing would move"):
        parse_trajectory("slerp:4", None, still)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[vary]\nrotation = 3\n", "only the tables"),
        ("vary = 3\n[hold]\nlight_hue = 2", "only the tables"),
        ("[vary", "cannot be read"),
        ("[vary]\nrotation = 2\n[hold]\nlight_hue = [0.1, 1.5]", "a hue lies between"),
        ("[vary]\nrotation = 2\n[hold]\nlight_theta = [0.1, 1.5]", r"light_theta 1\.5 of light_theta is outside 0 to 0\.78"),
        ("[vary]\nrotation = [[0, 0], [1, 1]]\n[hold]\nlight_hue = 2", "a level of rotation has one number each"),
        ('[vary]\nrotation = 2\n[hold]\nlight_hue = ["0:1", 0]', "a level of light_hue is one number"),
        ('[vary]\nrotation = "all"\n[hold]\nlight_hue = 2', "no number of levels and no list"),
    ],
)  # fmt: skip
def test_files_that_are_no_design_are_named(tmp_path, text, words):
    path = tmp_path / "grid.toml"
    path.write_text(text)
    with pytest.raises(UsageError, match=words):
        read_crossed(path, SPACE, 0)


@pytest.mark.parametrize("space", ["3diebench", "3diebench-t", "so3", "ood-rotation"])
def test_a_trajectory_goes_the_shortest_way_at_constant_speed_and_the_rest_stays(space):
    space = get_space(space)
    design = parse_trajectory("slerp:9", 18, space)
    draws = space.sample(3, *MUG, 4)
    latents = design.arrange(space, draws).reshape(2, 9, -1)
    columns = space.columns(ROTATION)
    for clip in range(2):
        ends = Rotation.from_euler("xyz", draws[[2 * clip, 2 * clip + 1]][:, columns])
        expected = Slerp([0, 1], ends)(np.linspace(0, 1, 9)).as_quat()
        assert angle_between(euler_to_quaternion(latents[clip][:, columns]), expected).max() < 1e-9
        np.testing.assert_array_equal(
            np.delete(latents[clip], columns, 1), np.repeat(np.delete(draws[[2 * clip]], columns, 1), 9, 0)
        )
    for factor, column in zip(design.cover(space).factors, latents.reshape(18, -1).T, strict=True):
        assert factor.low <= column.min() and column.max() <= factor.high
    assert design_from_json(design.to_json()) == design == Trajectory(9, 2)


def test_a_design_knows_latents_that_it_did_not_make():
    for design, space in ((parse_crossed("rotation:3", "light_hue:2", SPACE, 3), SPACE), (Trajectory(4, 2), SPACE)):
        latents = lay_out(design)
        assert design.is_kept_by(space, latents)
        for column in range(7):
            altered = latents.copy()
            altered[2, column] += 1e-4
            assert not design.is_kept_by(space, altered), (design, column)


@pytest.mark.parametrize(
    ("text", "views", "words"),
    [
        ("slerp", None, "is not understood"),
        ("slerp:1", None, "is not understood"),
        ("linear:4", None, "is not understood"),
        ("slerp:16", 40, "--views 40 are no whole number of clips of 16"),
        ("slerp:16", 8, "--views 8 are no whole number"),
    ],
)
def test_trajectories_that_cannot_be_are_named(text, views, words):
    with pytest.raises(UsageError, match=words):
        parse_trajectory(text, views, SPACE)


@pytest.mark.parametrize(
    "value", [{"kind": "spiral"}, {"kind": "trajectory", "path": "linear", "frames": 3, "clips": 1}]
)
def test_designs_of_later_versions_are_refused(value):
    with pytest.raises(ValueError, match="not known here"):
        design_from_json(value)


def test_the_axis_that_is_varied_is_the_fastest():
    design = parse_crossed("rotation_z:2", "light_hue:2", SPACE, 0)
    assert isinstance(design, Crossed) and design.run_length == 2
    assert lay_out(design)[:, SPACE.columns(["rotation_z", "light_hue"])].tolist() == [
        [-np.pi / 2, 0], [np.pi / 2, 0], [-np.pi / 2, 0.5], [np.pi / 2, 0.5]
    ]  # fmt: skip

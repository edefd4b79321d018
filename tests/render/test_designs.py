"""Renders of designs: the same bytes whatever happens, and a card that says how the views are laid out."""

import json
import signal
import subprocess
import sys

import numpy as np
import pytest
from crash_points import read_folder
from drawn_work import draw
from processes import archives, wait_until

from iebench.dataset.card import digest_card
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.errors import IebenchError, UsageError
from iebench.factors.designs import Trajectory
from iebench.growing import partial_root
from iebench.render.farm import render_dataset
from iebench.render.merge import merge_parts
from iebench.render.plan import plan_job
from iebench.render.request import RenderRequest

GRID = {"design": "crossed", "vary": "rotation:3", "hold": "light_hue:2"}
CLIPS = {"trajectory": "slerp:3", "views": 6}


def job_of(**options):
    small = {"classes": "mug", "objects_per_class": 4, "size": 16, "objects_per_shard": 2}
    return plan_job(RenderRequest(**small, **options))


def stop_at(number):
    """An engine that draws, until it is interrupted."""

    def meanwhile(now):
        if now == number:
            raise KeyboardInterrupt

    return lambda tasks: draw(tasks, meanwhile)


@pytest.mark.parametrize("layout", [GRID, CLIPS], ids=["crossed", "trajectory"])
def test_interruptions_and_parts_leave_no_trace(layout, tmp_path):
    whole, cut, parts = tmp_path / "whole", tmp_path / "cut", [tmp_path / "p1", tmp_path / "p2"]
    render_dataset(job_of(**layout), whole, draw)
    with pytest.raises(KeyboardInterrupt):
        render_dataset(job_of(**layout), cut, stop_at(2))
    render_dataset(job_of(**layout), cut, draw)
    for number, part in enumerate(parts, start=1):
        render_dataset(job_of(**layout, part=f"{number}/2"), part, draw)
    merge_parts(parts, tmp_path / "merged")
    assert read_folder(whole) == read_folder(cut) == read_folder(tmp_path / "merged")
    dataset = Dataset(whole)
    assert dataset.card.design is not None and dataset.card.seed == 0 and dataset.num_views == 6
    assert not verify_dataset(whole, decode=True)


def test_another_grid_is_another_render(tmp_path):
    with pytest.raises(KeyboardInterrupt):
        render_dataset(job_of(**GRID), tmp_path / "out", stop_at(1))
    for other in ({"hold": "light_hue:3"}, {"hold": "floor_hue:2"}):
        with pytest.raises(
            UsageError, match=r"views was|design was .*light_hue:2 x rotation:3 .* and is now .*floor_hue"
        ):
            render_dataset(job_of(**GRID | other), tmp_path / "out", draw)


def test_an_ordinary_card_and_job_do_not_speak_of_designs(tmp_path):
    render_dataset(job_of(views=1), tmp_path / "out", draw)
    card = json.loads((tmp_path / "out" / "dataset.json").read_text())
    assert "design" not in card and "design" not in card["settings"]
    assert "design" not in (tmp_path / "out" / "README.md").read_text()


def test_a_card_that_promises_another_layout_is_found_out(tmp_path):
    out = tmp_path / "out"
    render_dataset(job_of(**CLIPS), out, draw)

    def promise(design):
        card = json.loads((out / "dataset.json").read_text()) | {"design": design}
        (out / "dataset.json").write_text(json.dumps(card | {"digest": digest_card(card)}))

    promise(Trajectory(6).to_json())
    (problem,) = verify_dataset(out)
    assert "latents.npy is not laid out as the card says (trajectory slerp:6), first in object 0" in problem
    axis = {"name": "light_hue", "factors": ["light_hue"], "levels": [[0.0], [0.5]]}
    turning = {"name": "rotation_z", "factors": ["rotation_z"], "levels": [[0.0], [0.5], [1.0]]}
    for design in (
        Trajectory(5).to_json(),
        {"kind": "trajectory", "path": "slerp", "frames": "6", "clips": 1},
        {"kind": "crossed", "axes": [axis, axis | {"name": "again"}]},
        {"kind": "crossed", "axes": [axis, turning | {"factors": ["rotation_q"]}]},
        {"kind": "crossed", "axes": [axis, turning | {"levels": [[0.0], [1.0, 2.0], [3.0]]}]},
        {"kind": "crossed", "axes": [turning]},
        {"kind": "crossed", "axes": "light_hue"},
    ):
        promise(design)
        with pytest.raises(IebenchError, match=r"dataset\.json is damaged"):
            Dataset(out)


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"vary": "rotation"}, "--vary rotation has a say beside --design crossed alone"),
        ({"design": "crossed", "vary": "rotation"}, "--design crossed needs --vary and --hold"),
        ({"design": "grid"}, "There is no --design 'grid'"),
        ({"design": "grid.toml", "hold": "light_hue"}, "--hold light_hue has a say beside --design crossed alone"),
        ({"design": "grid.toml"}, "grid.toml cannot be read"),
        ({**GRID, "views": 9}, "--views 9 has no say beside --design crossed"),
        ({**GRID, "trajectory": "slerp:3"}, "--design crossed and --trajectory slerp:3 both lay out the views"),
        ({"sweep": "rotation_z=0:9deg:3", "trajectory": "slerp:3"}, "both lay out the views"),
    ],
)
def test_what_does_not_go_together_is_named(options, words):
    with pytest.raises(UsageError, match=words):
        job_of(**options)


def test_a_preset_gives_way_to_the_views_of_a_design():
    request = RenderRequest.after("mini", {**GRID, "objects_per_class": 2})
    job = plan_job(request)
    assert job.num_views == 6 and job.image_size == 48
    assert job.preset is not None and {"design", "views"} <= set(job.preset.changed)


@pytest.mark.slow
def test_a_crossed_render_killed_resumed_and_in_parts_has_the_same_bytes(tmp_path, start):
    """In real workers, one or two, whose latents are those of the grid, bit for bit."""
    words = [
        "--classes",
        "mug",
        "--objects-per-class",
        "4",
        "--size",
        "32",
        "--quality",
        "preview",
        "--design",
        "crossed",
    ]
    words += ["--vary", "rotation:2", "--hold", "light_hue:2", "--objects-per-shard", "1"]

    def command(out, *more):
        return [sys.executable, "-m", "iebench", "render", *words, "--out", str(tmp_path / out), *more]

    subprocess.run(command("whole"), check=True, capture_output=True)
    process = start(command("cut"), stderr=subprocess.DEVNULL)
    wait_until(lambda: archives(partial_root(tmp_path / "cut")), process)
    start.kill()
    assert process.wait() == -signal.SIGKILL, "the render is over before it can be killed"
    start.wait_for_all()
    subprocess.run(command("cut", "--workers", "2"), check=True, capture_output=True)
    for part in ("1", "2"):
        subprocess.run(command(f"p{part}", "--part", f"{part}/2"), check=True, capture_output=True)
    merge_parts([tmp_path / "p2", tmp_path / "p1"], tmp_path / "merged")
    assert read_folder(tmp_path / "whole") == read_folder(tmp_path / "cut") == read_folder(tmp_path / "merged")
    dataset = Dataset(tmp_path / "whole")
    moves = dataset.space.columns(["rotation_x", "rotation_y", "rotation_z", "light_hue"])
    held = np.delete(np.asarray(dataset.latents), moves, axis=-1)
    assert (held == held[:, :1]).all() and len(np.unique(held[:, 0, 0])) == 4

"""Presets fill the options of a render, and the card says where somebody changed them."""

import pytest

from iebench.dataset.card import DatasetCard
from iebench.dataset.card_parts import PresetNote
from iebench.errors import UsageError
from iebench.render.job import first_difference
from iebench.render.plan import plan_job
from iebench.render.request import RenderRequest


def test_a_preset_fills_what_is_not_given():
    request = RenderRequest.after("mini", {"size": 64, "seed": 3})
    assert (request.size, request.seed, request.views, request.focal_length) == (64, 3, 8, 85.0)
    assert len(plan_job(RenderRequest.after("mini", {"objects_per_class": 2})).classes) == 10


@pytest.mark.parametrize(
    ("given", "changed"),
    [
        ({}, ()),
        ({"part": "1/2", "objects_per_shard": 16}, ()),
        ({"views": 8}, ()),
        ({"views": 4, "seed": 1}, ("views", "seed")),
        ({"factors": ("floor_hue=0.3",)}, ("factors",)),
    ],
)
def test_the_card_names_the_preset_and_what_was_changed(given, changed):
    note = plan_job(RenderRequest.after("mini", {"objects_per_class": 240, **given})).preset
    assert note == PresetNote("iebench-mini", changed)
    assert note.dataset_name == ("iebench-mini*" if changed else "iebench-mini")


def test_other_objects_make_a_variant(tmp_path):
    for name in ("airplane", "mug"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "one.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    job = plan_job(RenderRequest.after("mini", {"objects": str(tmp_path), "classes": "airplane,mug"}))
    assert job.preset == PresetNote("iebench-mini", ("classes", "objects"))


def test_a_preset_that_needs_shapenet_says_so():
    with pytest.raises(UsageError, match=r"--preset 3diebench needs ShapeNetCore.*--objects"):
        RenderRequest.after("3diebench", {})
    with pytest.raises(UsageError, match="did you mean 'mini'"):
        RenderRequest.after("mni", {})


def test_a_lens_is_a_setting_of_the_job_and_the_published_one_is_as_before():
    plain, lens = (
        plan_job(RenderRequest(classes="1", objects_per_class=1, **more)) for more in ({}, {"focal_length": 85})
    )
    assert "focal length" not in plain.settings()  # datasets of before the option go on
    assert first_difference(plain.settings(), lens.settings()) == "focal length was null and is now 85"
    assert first_difference(lens.settings(), plain.settings()) == "focal length was 85 and is now null"


@pytest.mark.slow
def test_a_rendered_card_tells_lens_and_preset(iebench, tmp_path):
    iebench("render", "--preset", "mini", "--objects-per-class", 1, "--classes", "mug", "--views", 2, "--out", "out")
    card = DatasetCard.read(tmp_path / "out")
    assert (card.name, card.focal_length, card.image_size) == ("iebench-mini*", 85.0, 48)
    assert card.preset == PresetNote("iebench-mini", ("classes", "objects_per_class", "views"))
    told = iebench("info", "out").stdout
    assert "lens 85 mm; iebench-mini with these changed: classes, objects per class, views" in told

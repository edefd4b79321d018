"""Geometry passes on disk: what is read is what was written, damage is named, and a dataset without any is as it always was."""

import io
import json
import random
import struct
import tarfile
import zlib

import drawing
import numpy as np
import pytest
import simplejpeg
from mutations import MUTATIONS
from PIL import Image

from iebench.dataset import layout_archive
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import import_layout
from iebench.dataset.passes import PASSES, STEPS, decode_pass, encode_pass, order_passes
from iebench.dataset.reader import Dataset
from iebench.dataset.shards import locate_images, pack_sample
from iebench.dataset.verify import verify_dataset
from iebench.errors import IebenchError, UsageError
from iebench.loader.geometry import GeometryDataset
from iebench.loader.multiview import MultiViewDataset
from iebench.loader.stream import PairStream

ALL = tuple(PASSES)


@pytest.fixture
def passes(make_dataset):
    return make_dataset(passes=ALL, objects_per_class=2, classes="2", num_views=2)


def png_chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


@pytest.mark.parametrize("name", ALL)
def test_a_pass_is_exact_to_half_a_step(name):
    chance, kind = np.random.default_rng(0), PASSES[name]
    image = kind.empty(17)
    seen = chance.random((17, 17)) < 0.7
    image[seen] = True if name == "mask" else chance.uniform(0.01 - 3.9 * (kind.zero > 0), 3.9, image[seen].shape)
    read = decode_pass(name, encode_pass(name, image), 17)
    assert read.dtype == image.dtype and read.shape == image.shape
    np.testing.assert_allclose(read.astype(float), image.astype(float), atol=0.51 / STEPS, rtol=0)  # NaN equals NaN


def test_the_codes_are_those_that_are_documented():
    image = PASSES["position"].empty(2)
    image[0, 1] = (0.0, -0.25, 0.5)
    picture = np.asarray(Image.open(io.BytesIO(encode_pass("position", image))))
    assert picture.shape == (6, 2), "x, y, z one below the other"
    assert picture[::2, 1].tolist() == [32768, 32768 - 2048, 32768 + 4096] and picture.sum() == 3 * 32768 + 2048


def test_a_number_that_does_not_fit_is_an_error_and_not_another_number():
    image = PASSES["position"].empty(2)
    image[0, 0] = (0.0, 4.5, 0.0)
    with pytest.raises(ValueError, match=r"it has the number 4\.5, and ends at 4"):
        encode_pass("position", image)


def test_passes_stand_behind_a_sample_that_is_as_without_them():
    latents, jpegs = np.zeros((2, 7)), [b"one", b"two"]
    plain = pack_sample("1", "a", 3, jpegs, latents)
    whole = pack_sample("1", "a", 3, jpegs, latents, [{"mask": b"m"}, {"mask": b"n"}])
    assert whole.startswith(plain) and len(whole) > len(plain)
    offset, length = locate_images(whole, 2, ["mask"]).passes[1, 0]
    assert whole[offset : offset + length] == b"n"
    with pytest.raises(ValueError, match="not a whole sample"):  # as one that is cut short between two members
        locate_images(plain, 2, ["mask"])


def test_a_dataset_without_passes_says_nothing_of_them(drawn_dataset):
    assert "pass" not in (drawn_dataset / "dataset.json").read_text()
    assert not list(drawn_dataset.glob("pass*"))
    with pytest.raises(UsageError, match="has no pass 'depth', it has none: render with --passes"):
        Dataset(drawn_dataset).read_pass("depth", 0, 0)


def test_what_is_read_is_what_was_written(passes):
    for name in ALL:
        found = Dataset(passes.root).read_pass(name, 3, 1)
        drawn = drawing.draw_pass(name, passes.latents[3, 1], 32)
        np.testing.assert_allclose(found.astype(float), drawn.astype(float), atol=0.51 / STEPS)
    assert not verify_dataset(passes.root, decode=True)
    with pytest.raises(UsageError, match="no pass 'depht'"):
        order_passes(["depht"])
    with pytest.raises(UsageError, match=r"give a list of names, as \['mask'\]"):
        order_passes("mask")
    assert order_passes(["position", "mask", "mask"]) == ("mask", "position")


def test_damage_is_named(passes):
    offset, length = passes.pass_offsets[2, 1, 1]
    shard = passes.root / passes.shards[2]
    content = bytearray(shard.read_bytes())
    content[offset + length // 2] ^= 1
    shard.write_bytes(content)
    name = f"{passes.synsets[2]}/{passes.object_ids[2]}"
    told = verify_dataset(passes.root)
    assert len(told) == 2 and f"view 1 of {name} cannot be read" in told[1] and "altered" in told[1]
    with pytest.raises(IebenchError, match=f"view 1 of {name}"):
        passes.read_pass("depth", 2, 1)
    passes.read_pass("depth", 2, 0)


def test_a_png_of_another_size_is_found_by_decoding(tmp_path, monkeypatch):
    monkeypatch.setattr(drawing, "draw_pass", lambda name, latents, size: PASSES[name].empty(16))
    wrong = drawing.write_dataset(tmp_path / "wrong", passes=("depth",), classes="1", objects_per_class=1, num_views=1)
    assert not verify_dataset(wrong.root)
    assert "its depth: it is no grey PNG of 32 x 32 pixels of 16 bits" in verify_dataset(wrong.root, decode=True)[0]


def test_a_bomb_is_refused_by_its_header():
    def png(*sizes: int) -> bytes:
        headers = [png_chunk(b"IHDR", struct.pack(">IIBBBBB", size, size, 16, 0, 0, 0, 0)) for size in sizes]
        pixels = png_chunk(b"IDAT", zlib.compress((bytes(1) + np.random.default_rng(0).bytes(64)) * 32, 0))
        return b"\x89PNG\r\n\x1a\n" + b"".join(headers) + pixels + png_chunk(b"IEND", b"")

    assert decode_pass("depth", png(32), 32).shape == (32, 32)
    for bomb in (png(12_000), png(32, 12_000), png(32)[:900], b"", b"\x89PNG"):
        with pytest.raises(ValueError, match=r"it is no grey PNG|two headers|cannot be read"):
            decode_pass("depth", bomb, 32)


def test_a_damaged_png_is_read_or_refused():
    dice, image = random.Random(0), PASSES["position"].empty(24)
    image[3:20] = 0.25
    png = encode_pass("position", image)
    refused = 0
    for number in range(300):
        damaged = MUTATIONS[number % len(MUTATIONS)](png, dice)
        try:
            assert decode_pass("position", damaged, 24).shape == image.shape
        except ValueError:
            refused += 1
    assert refused > 100


@pytest.mark.parametrize("odd", [["depht"], ["depth", "mask"], ["mask", "mask"], "mask", [1], None])
def test_a_card_of_odd_passes_is_refused(passes, odd):
    card = json.loads((passes.root / "dataset.json").read_text())
    (passes.root / "dataset.json").write_text(json.dumps({**card, "passes": odd}))
    with pytest.raises(IebenchError, match=r"dataset\.json is damaged"):
        Dataset(passes.root)


def test_tables_of_other_passes_are_refused(passes):
    table = np.load(passes.root / "pass_offsets.npy")
    np.save(passes.root / "pass_offsets.npy", table[:, :, :2])
    with pytest.raises(IebenchError, match=r"pass_offsets\.npy has shape"):
        Dataset(passes.root).read_pass("mask", 0, 0)


def test_import_of_export_has_the_passes(passes, tmp_path):
    export_layout(passes, tmp_path / "loose")
    folder = tmp_path / "loose" / passes.synsets[0] / passes.object_ids[0]
    expected = {f"{kind}_{view}" for kind in ("image", "latent", *ALL) for view in range(2)}
    assert {path.stem for path in folder.iterdir()} == expected
    png = (folder / "normal_1.png").read_bytes()
    np.testing.assert_array_equal(decode_pass("normal", png, 32), passes.read_pass("normal", 0, 1))
    card, faults = import_layout(tmp_path / "loose", tmp_path / "back")
    assert not faults and card.passes == ALL and not verify_dataset(tmp_path / "back", decode=True)
    for table in ("pass_offsets.npy", "pass_checksums.npy", "train-000000.tar"):
        assert (tmp_path / "back" / table).read_bytes() == (passes.root / table).read_bytes()


def test_passes_that_are_damaged_or_somebody_elses_are_told_or_left_alone(passes, tmp_path):
    export_layout(passes, tmp_path / "loose")
    (tmp_path / "loose" / passes.synsets[0] / passes.object_ids[0] / "depth_1.png").write_bytes(b"cut")
    card, faults = import_layout(tmp_path / "loose", tmp_path / "back")
    assert card.passes == ALL and ["depth 1 is damaged" in fault.reason for fault in faults] == [True]
    for png in (tmp_path / "loose").glob("*/*/mask_*.png"):
        Image.new("RGB", (7, 7)).save(png)
    (tmp_path / "loose" / passes.synsets[0] / passes.object_ids[0] / "depth_1.png").unlink()
    card, faults = import_layout(tmp_path / "loose", tmp_path / "without")
    assert card.passes == ALL[1:] and ["depth 1 is missing" in fault.reason for fault in faults] == [True]


@pytest.mark.parametrize("kinds", [(("image", "latent"), ("mask",)), (("mask",), ("image", "latent"))])
def test_pictures_of_such_names_in_a_tree_of_their_own_are_left_alone(passes, tmp_path, monkeypatch, kinds):
    """An archive with more objects than may be open at a time, its masks apart from its images."""
    monkeypatch.setattr(layout_archive, "MAX_OPEN_OBJECTS", 1)
    export_layout(passes, tmp_path / "loose")
    with tarfile.open(tmp_path / "all.tar", "w") as archive:
        for kind in kinds:
            for file in sorted((tmp_path / "loose").glob("*/*/*_*.*")):
                if file.name.partition("_")[0] in kind:
                    archive.add(file, f"{kind[0]}s/{file.relative_to(tmp_path / 'loose')}")
    card, faults = import_layout(tmp_path / "all.tar", tmp_path / "back", strict=True)
    assert not faults and card.passes == () and Dataset(tmp_path / "back").num_objects == passes.num_objects


def test_batches_have_the_passes_of_their_views(passes):
    data = GeometryDataset(passes, passes=("position", "mask"), seed=3)
    plain = MultiViewDataset(passes, seed=3)
    for batch, views in zip(data.loader(2, 0), plain.loader(2, 0), strict=True):
        for ours, theirs in zip(batch.views, views, strict=True):
            assert (ours == theirs).all()
        assert batch.mask.shape == (*batch.view_index.shape, 32, 32) and not batch.depth.numel()
        for row, (index, chosen) in enumerate(zip(batch.object_index.tolist(), batch.view_index.tolist(), strict=True)):
            found = batch.position[row, 1].permute(1, 2, 0).numpy()
            np.testing.assert_array_equal(found, passes.read_pass("position", index, chosen[1]))
    assert data[0].position.shape == (2, 3, 32, 32)
    with pytest.raises(UsageError, match="without blending"):
        GeometryDataset(passes, size=16)


def test_a_stream_reads_past_the_passes(passes):
    pairs = list(PairStream(passes.root, split="train", buffer=2))
    assert sum(len(pair.label) for pair in pairs) == len(passes.split_indices("train"))
    assert simplejpeg.decode_jpeg(passes.read_jpeg(0, 0)).shape == (32, 32, 3)

"""The published layout: what comes in is what was there, whatever is wrong with the rest."""

import io
import os
import re
import shutil
import tarfile
import zipfile

import numpy as np
import pytest
import simplejpeg
from click.testing import CliRunner

from iebench.cli.data import COMMANDS
from iebench.dataset import layout_archive
from iebench.dataset.channels import ChannelVote
from iebench.dataset.exporter import export_layout
from iebench.dataset.importer import ABSENT, import_layout
from iebench.dataset.reader import Dataset
from iebench.dataset.verify import verify_dataset
from iebench.dataset.writer import read_failures
from iebench.errors import IebenchError, UsageError
from iebench.escapes import printable
from iebench.limits import MAX_MEMBER_BYTES
from iebench.loader.pairs import PairDataset

BAD_NAMES = ((b"b\xe4d", "not UTF-8"), (b"two\nlines", "a control character"))
TABLES = ("objects.csv", "latents.npy", "offsets.npy", "checksums.npy")


@pytest.fixture
def loose(drawn_dataset, tmp_path):
    """A dataset in the published layout, with its lists."""
    export_layout(Dataset(drawn_dataset), tmp_path / "loose")
    return tmp_path / "loose"


def pack(folder, archive, mode="w:gz", prefix="3DIEBench", last=()):
    with tarfile.open(archive, mode) as file:
        for path in sorted(folder.glob("*/*/*"), key=lambda path: (path in last, path)):
            file.add(path, f"{prefix}/{path.relative_to(folder)}")
    return archive


def one_object(folder):
    return sorted(folder.glob("*/*/"))[0]


def test_import_of_export_gives_the_same_bytes(drawn_dataset, loose, tmp_path):
    card, faults = import_layout(loose, tmp_path / "again", objects_per_shard=6)
    again = Dataset(tmp_path / "again")
    assert not faults and verify_dataset(again.root, decode=True) == []
    shards = [shard.name for shard in Dataset(drawn_dataset).card.shards]
    for name in (*TABLES, *shards):
        assert (again.root / name).read_bytes() == (drawn_dataset / name).read_bytes(), name
    assert card.space == Dataset(drawn_dataset).space and card.channels == "rgb"


@pytest.mark.parametrize("mode", ["w:gz", "w"])
def test_an_archive_gives_what_the_folder_gives(loose, tmp_path, mode):
    archive = pack(loose, tmp_path / "release.tar.gz", mode)
    import_layout(loose, tmp_path / "a")
    import_layout(archive, tmp_path / "b", lists=loose)
    first, second = Dataset(tmp_path / "a"), Dataset(tmp_path / "b")
    rows = [{(s, o): i for i, (s, o) in enumerate(zip(d.synsets, d.object_ids, strict=True))} for d in (first, second)]
    assert rows[0].keys() == rows[1].keys()
    for name, index in rows[0].items():
        other = rows[1][name]
        assert first.splits[index] == second.splits[other] and first.labels[index] == second.labels[other]
        np.testing.assert_array_equal(first.latents[index], second.latents[other])
        assert [first.read_jpeg(index, v) for v in range(4)] == [second.read_jpeg(other, v) for v in range(4)]


def test_a_part_of_a_release_with_its_full_lists(loose, tmp_path):
    """One class of four, as somebody has it who fetched no more; what is listed and not there is counted."""
    whole = sorted(loose.glob("*/*/"))
    for folder in whole:
        if folder.parent != whole[-1].parent:  # the lists begin with others
            shutil.rmtree(folder)
    there = {(folder.parent.name, folder.name) for folder in loose.glob("*/*/")}
    _, absent = import_layout(loose, tmp_path / "a")
    assert import_layout(pack(loose, tmp_path / "part.tgz"), tmp_path / "b", lists=loose)[1] == absent
    data = Dataset(tmp_path / "a")
    assert set(zip(data.synsets.tolist(), data.object_ids.tolist(), strict=True)) == there
    assert len(absent) == len(whole) - len(there) and {fault.reason for fault in absent} == {ABSENT}
    told = CliRunner().invoke(COMMANDS["import"], [str(loose), str(tmp_path / "c")])
    assert told.exit_code == 0 and f"0 left out, {len(absent)} listed ones are not there" in told.output


def test_a_folder_of_another_level_is_understood_or_named(loose, tmp_path):
    objects = Dataset(import_layout(loose, tmp_path / "a") and tmp_path / "a").object_ids.tolist()
    (tmp_path / "above" / ".hidden").mkdir(parents=True)
    loose.rename(tmp_path / "above" / "loose")
    loose = tmp_path / "above" / "loose"
    import_layout(tmp_path / "above", tmp_path / "b")
    assert Dataset(tmp_path / "b").object_ids.tolist() == objects
    one = one_object(loose)
    card, absent = import_layout(one.parent, tmp_path / "c")  # one class, by the lists beside it
    assert sum(split.objects for split in card.splits.values()) == 5 and len(absent) == 15
    with pytest.raises(IebenchError, match="folder of one object: give the folder of the classes, two levels above"):
        import_layout(one, tmp_path / "d")
    shutil.copytree(loose, tmp_path / "above" / "copy")
    with pytest.raises(IebenchError, match=r"several datasets .*above/copy and .*above/loose: give one"):
        import_layout(tmp_path / "above", tmp_path / "d")
    with pytest.raises(IebenchError, match="not in the published layout: it should hold"):
        import_layout(tmp_path / "a", tmp_path / "d")


def test_classes_of_ones_own_that_no_list_names_are_told(loose, tmp_path):
    for path in loose.glob("*.npy"):
        path.unlink()
    shutil.copytree(one_object(loose), loose / "umbrella" / "one")
    _, faults = import_layout(loose, tmp_path / "a")
    assert [(fault.synset, fault.reason) for fault in faults] == [("umbrella", "its class is none of the 55")]
    _, again = import_layout(pack(loose, tmp_path / "b.tgz"), tmp_path / "b")
    assert again == faults


def zip_folder(folder, path):
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(folder.glob("*/*/*")):
            archive.write(file, f"3DIEBench/{file.relative_to(folder)}")
    return path


def test_a_zip_file_gives_what_the_folder_gives(loose, tmp_path):
    import_layout(pack(loose, tmp_path / "a.tgz"), tmp_path / "a", lists=loose)
    path = zip_folder(loose, tmp_path / "b.zip")
    import_layout(path, tmp_path / "b", lists=loose)
    for name in TABLES:
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()
    path.write_bytes(path.read_bytes()[:-2000])
    with pytest.raises(IebenchError, match=r"b\.zip is damaged or cut short"):
        import_layout(path, tmp_path / "c", lists=loose)


@pytest.mark.parametrize(
    ("name", "content", "mode", "words"),
    [
        ("../02691156/a/image_0.jpg", b"x", 0o100644, "points out"),
        ("02691156/a/image_0.jpg", b"/etc/passwd", 0o120777, "a link"),
        ("02691156/a/image_0.jpg", bytes(MAX_MEMBER_BYTES + 1), 0o100644, "too many"),
        ("val_images.npy", b"x", 0o100644, "too late"),
    ],
)
def test_what_a_zip_file_must_not_hold_is_refused(tmp_path, name, content, mode, words):
    entry = zipfile.ZipInfo(name)
    entry.external_attr, entry.compress_type = mode << 16, zipfile.ZIP_DEFLATED
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr(entry, content)
    with pytest.raises(IebenchError, match=words):
        import_layout(tmp_path / "bad.zip", tmp_path / "out")


def test_the_exit_code_is_1_where_more_than_a_few_objects_are_left_out(loose, tmp_path):
    (one_object(loose) / "image_1.jpg").unlink()
    words = [str(loose), str(tmp_path / "a")]
    assert CliRunner().invoke(COMMANDS["import"], words).exit_code == 1 and (tmp_path / "a").exists()
    shutil.rmtree(tmp_path / "a")
    assert CliRunner().invoke(COMMANDS["import"], [*words, "--max-failures", "0.1"]).exit_code == 0


def test_ten_latents_are_the_translated_benchmark(make_dataset, tmp_path):
    dataset = make_dataset("moved", space="3diebench-t")
    export_layout(dataset, tmp_path / "loose")
    card, _ = import_layout(tmp_path / "loose", tmp_path / "again")
    assert card.space == dataset.space


def test_a_range_that_is_left_is_widened_and_said(loose, tmp_path):
    path = one_object(loose) / "latent_2.npy"
    latents = np.load(path)
    latents[0] = 3.0
    np.save(path, latents)
    card, _ = import_layout(loose, tmp_path / "again")
    factor = card.space.factors[0]
    assert card.space.name == "3diebench*" and (factor.low, factor.high) == (pytest.approx(-np.pi / 2), 3.0)


def test_every_fault_is_counted_and_named_and_the_rest_comes_in(loose, tmp_path):
    whole = sorted(loose.glob("*/*/"))
    latent = np.load(whole[0] / "latent_0.npy")
    (whole[0] / "image_1.jpg").unlink()
    np.save(whole[1] / "latent_3.npy", latent[:5])
    (whole[2] / "image_0.jpg").write_bytes((whole[2] / "image_0.jpg").read_bytes()[:300])
    np.save(whole[3] / "latent_0.npy", np.array([{}], dtype=object), allow_pickle=True)
    shutil.rmtree(whole[4])
    shutil.copytree(whole[5], loose / whole[5].parent.name / "unlisted")
    (whole[6] / "latent_2.npy").write_bytes(b"")
    (whole[7] / "image_2.jpg").write_bytes(simplejpeg.encode_jpeg(np.zeros((32, 16, 3), np.uint8)))
    np.save(whole[8] / "latent_1.npy", np.full(7, np.nan))
    card, faults = import_layout(loose, tmp_path / "out")
    said = {f"{fault.synset}/{fault.object_id}": fault.reason for fault in faults}
    expected = {
        0: "image 1 is missing",
        1: "latent 3 has 5 numbers and not 7",
        2: "image 0 is damaged",
        3: "latent 0 is damaged",
        4: "image 0 is missing and 3 more|not hold it",
        6: "latent 2 is damaged",
        7: r"image 2 is damaged \(it has 16 x 32 pixels and not 32\)",
        8: "latent 1 is damaged",
    }
    for number, words in expected.items():
        name = f"{whole[number].parent.name}/{whole[number].name}"
        assert re.search(words, said.pop(name)), name
    assert said == {f"{whole[5].parent.name}/unlisted": "it is in no list"}
    assert sum(split.objects for split in card.splits.values()) == len(whole) - 8
    assert verify_dataset(tmp_path / "out", decode=True) == []
    with pytest.raises(IebenchError, match="--strict"):
        import_layout(loose, tmp_path / "strict", strict=True)
    assert not (tmp_path / "strict").exists() and not (tmp_path / "strict.partial").exists()


def test_an_object_whose_files_stand_far_apart_is_left_out_once(loose, tmp_path, monkeypatch):
    monkeypatch.setattr(layout_archive, "MAX_OPEN_OBJECTS", 2)
    torn = one_object(loose)
    archive = pack(loose, tmp_path / "torn.tar.gz", last=[torn / "latent_0.npy"])
    _, faults = import_layout(archive, tmp_path / "a", lists=loose)
    assert [(fault.object_id, fault.reason) for fault in faults] == [
        (torn.name, "its files stand far apart in the archive")
    ]
    assert read_failures(tmp_path / "a" / "failures.csv") == faults


def member(name, content=b"", **settings):
    entry = tarfile.TarInfo(name)
    entry.size = len(content)
    for key, value in settings.items():
        setattr(entry, key, value)
    return entry, content


@pytest.mark.parametrize(
    ("entry", "words"),
    [
        (member("/02691156/a/image_0.jpg", b"x"), "points out"),
        (member("../02691156/a/image_0.jpg", b"x"), "points out"),
        (member("02691156/a/image_0.jpg", type=tarfile.SYMTYPE, linkname="/etc/passwd"), "a link"),
        (member("02691156/a/image_0.jpg", type=tarfile.LNKTYPE, linkname="x"), "a link"),
        (member("02691156/a/image_0.jpg", type=tarfile.CHRTYPE), "a device"),
        (member("02691156/a/image_0.jpg", bytes(MAX_MEMBER_BYTES + 1)), "too many"),
        (member("x", bytes(MAX_MEMBER_BYTES + 1), type=tarfile.XHDTYPE), "too many"),
        (member("val_images.npy", b"x"), "too late"),
        (member("02691156/readme.txt", b"x"), "not in the published layout"),
    ],
)
def test_what_an_archive_must_not_hold_is_refused(tmp_path, entry, words):
    with tarfile.open(tmp_path / "bad.tar.gz", "w:gz", compresslevel=1) as archive:
        archive.addfile(entry[0], io.BytesIO(entry[1]))
    with pytest.raises(IebenchError, match=words):
        import_layout(tmp_path / "bad.tar.gz", tmp_path / "out")
    assert not (tmp_path / "out").exists() and not (tmp_path / "out.partial").exists()


def test_a_cut_or_altered_archive_is_refused_and_leaves_nothing(loose, tmp_path):
    content = pack(loose, tmp_path / "release.tar.gz").read_bytes()
    altered = bytearray(content)
    altered[len(content) // 2] ^= 8
    for number, damaged in enumerate((content[: len(content) // 2], bytes(altered), content[:-8])):
        (tmp_path / "damaged.tar.gz").write_bytes(damaged)
        with pytest.raises(IebenchError, match="damaged or cut short"):
            import_layout(tmp_path / "damaged.tar.gz", tmp_path / f"out{number}", lists=loose)
        assert not list(tmp_path.glob("out*"))


def test_lists_that_do_not_fit_are_refused(loose, tmp_path):
    labels = np.load(loose / "train_labels.npy")
    np.save(loose / "train_labels.npy", labels + 1)
    with pytest.raises(IebenchError, match=r"train_labels\.npy gives '/\d+/object-\d/' the label"):
        import_layout(loose, tmp_path / "out")
    np.save(loose / "train_labels.npy", labels[:-1])
    with pytest.raises(IebenchError, match="do not fit"):
        import_layout(loose, tmp_path / "out")
    (loose / "train_labels.npy").unlink()
    with pytest.raises(IebenchError, match=r"train_labels\.npy cannot be read"):
        import_layout(loose, tmp_path / "out")


def test_without_lists_a_hash_splits(loose, tmp_path):
    for path in loose.glob("*.npy"):
        path.unlink()
    card, faults = import_layout(loose, tmp_path / "out")
    assert not faults and card.source["lists"] == []
    assert sum(split.objects for split in card.splits.values()) == 20


def test_swapped_channels_are_found_and_read_right(make_dataset, tmp_path):
    dataset = make_dataset()
    export_layout(dataset, tmp_path / "loose")
    for path in (tmp_path / "loose").glob("*/*/*.jpg"):
        image = simplejpeg.decode_jpeg(path.read_bytes())
        path.write_bytes(simplejpeg.encode_jpeg(np.ascontiguousarray(image[..., ::-1]), colorsubsampling="444"))
    card, _ = import_layout(tmp_path / "loose", tmp_path / "again")
    assert card.channels == "bgr" and card.source["channels"]["agree"] == 1.0
    for ours, theirs in zip(PairDataset(dataset.root), PairDataset(tmp_path / "again"), strict=True):
        colors = [pair.source.float().mean((1, 2)) for pair in (ours, theirs)]
        np.testing.assert_allclose(*colors, atol=6)


def test_channels_that_cannot_be_told_are_called_unknown():
    vote = ChannelVote()
    assert vote.result() == ("rgb", {"found": "unknown", "views": 0})
    noise = np.random.default_rng(0)
    for hue in noise.random(200):
        vote.add(noise.integers(0, 256, (64, 64, 3), dtype=np.uint8), hue)
    order, measured = vote.result()
    assert order == "rgb" and measured["found"] == "unknown" and measured["views"] > 100


def test_commands_say_what_they_did(drawn_dataset, tmp_path):
    run = CliRunner().invoke
    out, again = str(tmp_path / "loose"), str(tmp_path / "again")
    assert run(COMMANDS["export"], [str(drawn_dataset), out]).exit_code == 0
    told = run(COMMANDS["import"], [out, again])
    assert told.exit_code == 0 and "0 left out" in told.output and "found rgb" in told.output
    assert isinstance(run(COMMANDS["export"], [again, out]).exception, UsageError)
    assert isinstance(run(COMMANDS["import"], [out, again]).exception, UsageError)
    assert isinstance(run(COMMANDS["import"], ["nowhere", str(tmp_path / "x")]).exception, UsageError)
    assert "is whole" in run(COMMANDS["verify"], [again, "--decode"]).output
    assert "rotation_x" in run(COMMANDS["info"], [again]).output
    assert run(COMMANDS["show"], [again, "--out", str(tmp_path / "p.png"), "--pairs", "3"]).exit_code == 0
    assert (tmp_path / "p.png").read_bytes()[1:4] == b"PNG"


@pytest.mark.parametrize(("name", "told"), BAD_NAMES)
@pytest.mark.parametrize("listed", [True, False])
def test_a_name_that_cannot_be_written_costs_its_object_alone(loose, tmp_path, name, told, listed):
    if not listed:
        for path in loose.glob("*.npy"):
            path.unlink()
    folder = one_object(loose)
    shutil.copytree(folder, folder.with_name(os.fsdecode(name)))
    _, faults = import_layout(loose, tmp_path / "again", objects_per_shard=6)
    assert [fault.object_id for fault in faults] == [printable(os.fsdecode(name))] and told in faults[0].reason
    assert read_failures(tmp_path / "again" / "failures.csv") == faults
    assert verify_dataset(tmp_path / "again", decode=True) == []

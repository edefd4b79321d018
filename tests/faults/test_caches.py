"""What lies in a cache is what was computed or fetched, and what is evicted is ours."""

import errno
import json
import multiprocessing
import os
import threading
from contextlib import suppress

import numpy as np
import pytest
from drawn_work import mean_colors, score

from iebench import locks
from iebench.dataset.reader import Dataset
from iebench.dataset.remote import evict
from iebench.errors import IebenchError, UsageError
from iebench.evals.eval_dataset import StoredDataset
from iebench.evals.representations import extract
from iebench.evals.results import Results
from iebench.models import evaluation


@pytest.mark.parametrize("damage", ["bit", "zeros", "cut", "longer", "other shape", "no record", "record cut"])
def test_a_damaged_cache_is_made_anew(drawn_dataset, tmp_path, damage):
    data = StoredDataset(drawn_dataset)
    wanted = np.array(extract(mean_colors, data, "val", folder=tmp_path / "key").values)
    path, record = tmp_path / "key" / "val.npy", tmp_path / "key" / "val.json"
    content = bytearray(path.read_bytes())
    if damage == "bit":
        content[-5] ^= 1
    if damage == "zeros":
        content[-40:] = bytes(40)
    path.write_bytes(content[:-8] if damage == "cut" else content + b"\0" * (damage == "longer"))
    if damage == "other shape":
        np.save(path, np.zeros((3, 4), np.float32))
    if damage == "no record":
        record.unlink(missing_ok=True)
    if damage == "record cut" and record.exists():
        record.write_bytes(record.read_bytes()[:9])
    again = extract(mean_colors, data, "val", folder=tmp_path / "key")
    assert np.array_equal(again.values, wanted)


def begin(dataset, folder):
    """An evaluation's dataset, whose representations an interrupted pass has begun to write."""
    data, calls = StoredDataset(dataset), []

    def interrupted(images):
        calls.append(1)
        if len(calls) == 40:
            raise KeyboardInterrupt
        return mean_colors(images)

    with pytest.raises(KeyboardInterrupt):
        extract(interrupted, data, "train", folder=folder, batch_size=1)
    return data


def test_a_damaged_beginning_is_made_anew(drawn_dataset, tmp_path):
    data = begin(drawn_dataset, tmp_path / "key")
    path = tmp_path / "key" / "train.partial.npy"
    content = bytearray(path.read_bytes())
    content[200] ^= 1
    path.write_bytes(content)
    found = extract(mean_colors, data, "train", folder=tmp_path / "key")
    assert np.array_equal(found.values, extract(mean_colors, data, "train").values)


@pytest.mark.parametrize("name", ["link", "second name"])
def test_a_beginning_that_is_another_file_is_not_written_to(drawn_dataset, tmp_path, name):
    """A run of somebody else may hold a link, with a record that fits."""
    data = begin(drawn_dataset, tmp_path / "key")
    path, dear = tmp_path / "key" / "train.partial.npy", tmp_path / "dear"
    path.rename(dear)
    path.symlink_to(dear) if name == "link" else path.hardlink_to(dear)
    before = dear.read_bytes()
    extract(mean_colors, data, "train", folder=tmp_path / "key")
    assert dear.read_bytes() == before


@pytest.mark.parametrize("name", ["representations", "representations/key"])
def test_a_runs_own_cache_leads_nowhere_else(drawn_dataset, tmp_path, name):
    (tmp_path / "elsewhere").mkdir()
    link = tmp_path / "run" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(UsageError, match="is a link: remove it, or name"):
        score(drawn_dataset, tmp_path / "run")
    assert not list((tmp_path / "elsewhere").iterdir())


def meeting(find_earlier, barrier):
    """`find_earlier` that waits, once it has read what it will join its own to, for another process to read the same."""
    calls = []

    def find_and_wait(*args):
        found = find_earlier(*args)
        calls.append(1)
        if len(calls) == 2:
            with suppress(threading.BrokenBarrierError):  # as it does where only one may read and write
                barrier.wait(10)
        return found

    return find_and_wait


@pytest.mark.slow
def test_two_evaluations_of_one_folder_are_both_right(drawn_dataset, tmp_path):
    """Each in a process of its own, of other tasks: all scores are there, as if each had been alone."""
    for task in ("classification", "rotation"):
        score(drawn_dataset, tmp_path / task, task)
    children, barrier = [], multiprocessing.get_context("fork").Barrier(2)
    for task in ("classification", "rotation"):
        child = os.fork()
        if not child:
            try:
                evaluation.find_earlier = meeting(evaluation.find_earlier, barrier)
                score(drawn_dataset, tmp_path / "both", task)
                os._exit(0)
            finally:
                os._exit(1)
        children.append(child)
    assert [os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children] == [0, 0]
    both = Results.read(tmp_path / "both")
    for task in ("classification", "rotation"):
        for key, entry in Results.read(tmp_path / task).scores.scores.items():
            assert both.scores.scores[key] == entry, key


def test_the_second_takes_what_the_first_has_made(drawn_dataset, tmp_path, capsys, monkeypatch):
    """It comes while the first is at work, waits, and says so."""
    data, seen, others, waits = StoredDataset(drawn_dataset), [], [], threading.Event()

    def flock(*args, plain=locks.flock):
        try:
            return plain(*args)
        except BlockingIOError:
            waits.set()
            raise

    monkeypatch.setattr(locks, "flock", flock)

    def slow(images):
        if not others:
            others.append(
                threading.Thread(target=extract, args=(quick, data, "val"), kwargs={"folder": tmp_path / "key"})
            )
            others[0].start()
            assert waits.wait(60)
        return mean_colors(images)

    def quick(images):
        seen.append(len(images))
        return mean_colors(images)

    found = extract(slow, data, "val", folder=tmp_path / "key")
    others[0].join(60)
    assert not seen and np.array_equal(found.values, extract(mean_colors, data, "val").values)
    assert "in use by another eval (process" in capsys.readouterr().err


def test_a_full_disk_is_one_sentence(drawn_dataset, tmp_path, monkeypatch):
    def full(*_):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "posix_fallocate", full)
    with pytest.raises(IebenchError, match=r"key has no room for 0\.0 GB of representations: make some"):
        extract(mean_colors, StoredDataset(drawn_dataset), "val", folder=tmp_path / "key")
    monkeypatch.undo()
    extract(mean_colors, StoredDataset(drawn_dataset), "val", folder=tmp_path / "key")


def test_nothing_of_the_users_is_evicted(drawn_dataset, tmp_path, monkeypatch):
    pytest.importorskip("fsspec")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path))
    theirs = [tmp_path / "backups" / "2024" / "home.tar", tmp_path / "data" / "mine" / "train-000000.tar"]
    for path in theirs:
        path.parent.mkdir(parents=True)
        path.write_bytes(b"dear")
    (theirs[1].parent / "dataset.json").write_bytes((drawn_dataset / "dataset.json").read_bytes())
    ours = Dataset(f"file://{drawn_dataset}").locate("train-000000.tar")
    evict(tmp_path, 0)
    assert all(path.read_bytes() == b"dear" for path in theirs) and not ours.exists()


@pytest.mark.parametrize("bytes_told", [-(10**12), 0, 7])
def test_a_card_that_lies_about_sizes(make_dataset, tmp_path, monkeypatch, bytes_told):
    pytest.importorskip("fsspec")
    monkeypatch.setenv("IEBENCH_CACHE", str(tmp_path / "cache"))
    from iebench.dataset.card import digest_card

    card = make_dataset("data").root / "dataset.json"
    value = json.loads(card.read_text())
    value["shards"][0]["bytes"] = bytes_told
    value["digest"] = digest_card({name: entry for name, entry in value.items() if name != "digest"})
    card.write_text(json.dumps(value))
    with pytest.raises(IebenchError):
        Dataset(f"file://{card.parent}").locate("train-000000.tar")
    assert not list(tmp_path.glob("cache/*/*/*.tar"))

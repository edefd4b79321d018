"""Keys of samples: every object has its own, and the names come back as they were written."""

from urllib.parse import unquote

import numpy as np
import pytest

from iebench.dataset.shards import (
    LONGEST_KEY,
    locate_views,
    pack_sample,
    sample_file,
    sample_key,
    sample_name,
    split_shard,
    write_shard,
)
from iebench.names import name_fault

NAMES = [
    ("桌子", "0"),
    ("椅子", "0"),
    ("стол", "0"),
    ("mug", "mug (1)"),
    ("mug", "mug 1 "),
    ("mug", "mug_1_"),
    ("mug", "a.b"),
    ("mug", "a%2Eb"),
    ("mug", "a,b#c"),
    ("night-stand", "1"),
    ("night", "stand-1"),
    ("mug", "A"),
    ("mug", "a"),
    ("mug", "cafe\u0301"),
    ("mug", "caf\u00e9"),
    ("mug", "x" * 300),
    ("mug", "x" * 299 + "y"),
]


@pytest.mark.parametrize(
    ("name", "key"),
    [(("03797390", "p1-000007"), "03797390-p1-000007"), (("mug", "set_1-Left"), "mug-set_1-Left")],
)
def test_plain_names_keep_the_key_that_they_always_had(name, key):
    assert sample_key(*name) == key


def test_no_two_objects_share_a_key_and_names_come_back():
    keys = [sample_key(*name) for name in NAMES]
    assert len(set(keys)) == len(NAMES)
    for name, key in zip(NAMES, keys, strict=True):
        assert len(key) <= LONGEST_KEY and not set(key) - set("%~-_") - {c for c in key if c.isascii() and c.isalnum()}
        if "%~" not in key:
            assert tuple(unquote(part) for part in key.split("-", 1)) == name


def test_files_of_samples_differ_by_more_than_case():
    files = [sample_file(*name).lower() for name in NAMES]
    assert len(set(files)) == len(NAMES)
    assert sample_file("03797390", "p1-000007") == "03797390-p1-000007"


def test_a_sample_tells_its_names(tmp_path):
    latents = np.zeros((2, 7))
    samples = [pack_sample(*name, 3, [b"one", b"two"], latents) for name in NAMES]
    write_shard(tmp_path / "s.tar", samples)
    read = list(split_shard(tmp_path / "s.tar"))
    assert [key for key, _ in read] == [sample_key(*name) for name in NAMES]
    assert [sample_name(sample) for _, sample in read] == NAMES
    assert all(locate_views(sample, 2)[0, 0] == 512 for _, sample in read), "a name was too long for its header"
    with pytest.raises(ValueError, match="not a whole sample"):
        sample_name(samples[0][:1024])


@pytest.mark.parametrize(("name", "fault"), [
    ("a/b", '"/"'), ("", "no name"), ("..", "no name"), (" ", "no name"), ("a\nb", "control"), (7, "type int"),
    ("\udcd7", "UTF-8"),
])  # fmt: skip
def test_names_that_cannot_be_used_are_told_apart(name, fault):
    assert fault in name_fault(name)


def test_all_other_names_can_be_used():
    assert [name_fault(part) for name in NAMES for part in name] == [None] * 2 * len(NAMES)

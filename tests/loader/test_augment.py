"""Augmentations change what they say and nothing else."""

import pytest
import torch

from iebench.errors import UsageError
from iebench.loader.augment import Augmentation


@pytest.fixture
def images():
    return torch.randint(0, 256, (8, 3, 16, 24), dtype=torch.uint8, generator=torch.Generator().manual_seed(0))


def test_nothing_asked_for_changes_nothing(images):
    assert torch.equal(Augmentation()(images), images)


def test_a_certain_flip_is_a_mirror(images):
    assert torch.equal(Augmentation(flip=1.0)(images), images.flip(3))


def test_grey_images_have_equal_channels_and_pillows_luma(images):
    grey = Augmentation(grey=1.0)(images)
    assert torch.equal(grey[:, 0], grey[:, 1]) and torch.equal(grey[:, 0], grey[:, 2])
    luma = (images.float() * torch.tensor([0.299, 0.587, 0.114]).view(1, 3, 1, 1)).sum(1)
    assert (grey[:, 0].float() - luma).abs().max() <= 1


def test_every_image_is_drawn_for_itself_and_a_generator_repeats_it(images):
    everything = Augmentation(crop=0.3, aspect=1.3, flip=0.5, brightness=0.4, contrast=0.4, saturation=0.4, grey=0.2)
    same = images[:1].expand(8, -1, -1, -1)
    changed = everything(same, torch.Generator().manual_seed(1))
    assert changed.dtype == torch.uint8 and len({tuple(image.flatten().tolist()) for image in changed}) == 8
    assert torch.equal(changed, everything(same, torch.Generator().manual_seed(1)))


def test_a_crop_of_a_ramp_is_a_part_of_it():
    ramp = torch.arange(0, 240, 10, dtype=torch.uint8).expand(64, 3, 24, 24)
    cropped = Augmentation(crop=0.25)(ramp).float()
    steps = (cropped[..., 12:14].diff(dim=3)).mean((1, 2, 3))
    assert steps.min() >= 4 and steps.max() <= 11 and cropped.min() >= 0 and cropped.max() <= 230


def test_wrong_numbers_are_named():
    with pytest.raises(UsageError, match="flip=2"):
        Augmentation(flip=2)
    with pytest.raises(UsageError, match="crop=0"):
        Augmentation(crop=0)

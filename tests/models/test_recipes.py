"""Recipes fill what is not given, and settings that cannot work are told with a mend that works."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from torch import nn

from iebench.errors import UsageError
from iebench.models.advice import advise, advise_on_collapse, effective_rank
from iebench.models.method import METHODS, Sizes
from iebench.models.method_sie import Sie, SieSettings
from iebench.models.method_simclr import Simclr, SimclrSettings
from iebench.models.recipes import RECIPES, describe_recipe, make_training
from iebench.models.settings import TrainerSettings, list_settings
from iebench.models.training import train


@pytest.mark.parametrize("name", METHODS)
def test_the_published_recipe_is_every_default(name: str) -> None:
    entry = METHODS[name]
    assert make_training(name) == make_training(name, "published") == (entry.settings(), entry.trainer)


def test_what_is_given_comes_before_the_recipe() -> None:
    settings, trainer = make_training("sie", "mini", {"projector": "64-32", "batch_size": 96})
    assert (settings.projector, settings.backbone) == ("64-32", "resnet18-narrow")
    assert (trainer.batch_size, trainer.schedule) == (96, "cosine")
    assert make_training("sie", "mini", {"epochs": 7})[1].steps == 0  # which would come before epochs


@pytest.mark.parametrize("recipe", RECIPES.values(), ids=list(RECIPES))
def test_every_entry_of_a_recipe_is_a_setting(recipe) -> None:
    assert set(recipe.trainer) <= {setting.name for setting in list_settings(TrainerSettings)}
    for name, values in recipe.methods.items():
        known = (*list_settings(METHODS[name].settings), *list_settings(TrainerSettings))
        assert set(values) <= {setting.name for setting in known}


def test_unknown_names_are_told() -> None:
    with pytest.raises(UsageError, match="no recipe 'min': did you mean 'mini'"):
        make_training("sie", "min")
    with pytest.raises(UsageError, match="sie has no setting 'projektor': did you mean 'projector'"):
        make_training("sie", given={"projektor": "8-8"})


def test_the_recipe_of_a_paper_is_for_its_methods_alone() -> None:
    assert make_training("vicreg-traj", "seqjepa")[1].epochs == 1000
    with pytest.raises(
        UsageError, match="--recipe seqjepa has no settings for augself: leave it out, or train one of seqjepa, "
    ):
        make_training("augself", "seqjepa")


def test_a_dry_run_tells_whose_settings_they_are_and_what_they_cost() -> None:
    assert "Gupta et al., NeurIPS 2024, or the SIE" in describe_recipe("published", "contextssl")
    assert "; 1000 epochs of 512 objects, for GPUs; " in describe_recipe("published", "contextssl")
    assert "; 2000 epochs of 1024 objects, for GPUs; " in describe_recipe("published", "sie")
    assert "Ghaemi" in describe_recipe("seqjepa", "byol")


def advice(
    settings: SieSettings, trainer: TrainerSettings, steps_per_epoch: int = 10, num_steps: int = 1000
) -> list[str]:
    return advise(Sie(settings, nn.Identity(), Sizes(8, 4, 55)), trainer, steps_per_epoch, num_steps)


def test_an_embedding_far_wider_than_the_batch_is_told_with_a_mend() -> None:
    small = TrainerSettings(batch_size=64)
    (sentence,) = advice(SieSettings(), small)
    assert "2048 coordinates and a batch 64 pairs" in sentence
    assert "--projector 1024-1024-64, or --batch-size 1024" in sentence
    assert advice(SieSettings(projector="1024-1024-64"), small) == advice(SieSettings(), TrainerSettings()) == []


def test_all_views_and_each_projector_count() -> None:
    many = SieSettings(projector="64-128", num_views=8)
    assert advice(many, TrainerSettings(batch_size=16)) == []
    assert len(advice(replace(many, num_views=2), TrainerSettings(batch_size=16))) == 1
    apart = METHODS["vicreg-equimod"]
    method = apart.method(apart.settings(projector="64-128"), nn.Identity(), Sizes(8, 4, 55))
    assert advise(method, TrainerSettings(batch_size=16), 10, 1000) == []


def test_a_contrast_may_be_as_wide_as_it_likes() -> None:
    method = Simclr(SimclrSettings(), nn.Identity(), Sizes(8, 4, 55))
    assert advise(method, TrainerSettings(batch_size=16), 10, 1000) == []


def test_a_warm_up_that_is_most_of_the_schedule_is_told() -> None:
    short = TrainerSettings(schedule="cosine", warmup_epochs=10)
    (sentence,) = advice(SieSettings(), short, steps_per_epoch=10, num_steps=150)
    assert "100 of 150 steps" in sentence
    assert advice(SieSettings(), replace(short, warmup_epochs=2), 10, 150) == []
    assert "take fewer --warmup-steps" in advice(SieSettings(), replace(short, warmup_steps=80), 10, 150)[0]
    assert advice(SieSettings(), replace(short, warmup_steps=20), 10, 150) == []


def test_effective_rank() -> None:
    torch.manual_seed(0)
    assert effective_rank(torch.randn(64, 1) * torch.randn(16)) == pytest.approx(1, abs=0.01)
    assert effective_rank(torch.eye(16)) == pytest.approx(16, rel=0.01)
    assert effective_rank(torch.full((4, 4), torch.nan)).isnan()


def test_a_collapse_is_told() -> None:
    healthy = {"rank/representation": 40.0, "spread/embedding": 0.9}
    assert advise_on_collapse(healthy, 64) == ""
    assert "embeddings of a batch have a spread of 0.11" in advise_on_collapse(healthy | {"spread/embedding": 0.11}, 64)
    assert "an effective rank of 1.2" in advise_on_collapse(healthy | {"rank/representation": 1.2}, 64)
    assert advise_on_collapse(healthy | {"rank/representation": 1.2}, 4) == ""  # four vectors have no more
    assert advise_on_collapse({"rank/representation": float("nan")}, 64) == ""  # the loss says so


@pytest.mark.slow
def test_a_training_warns(drawn_dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture) -> None:
    settings, trainer = make_training("sie", given={"projector": "32-64", "backbone": "resnet18-narrow"})
    trainer = replace(trainer, steps=10, batch_size=4, num_workers=0, log_every=1, learning_rate=0.0)
    train("sie", settings, trainer, drawn_dataset, tmp_path / "run")
    told = capsys.readouterr().err
    assert told.count("Warning: ") == told.count("Warning: The embedding has 128 coordinates and a batch 4 pairs") == 1

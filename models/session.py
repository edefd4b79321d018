"""A training that is set up: dataset, method, probes and optimiser on their devices."""

import math
import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import distributed, nn

from iebench.catalogue import CLASSES
from iebench.errors import UsageError
from iebench.loader.pairs import PairDataset
from iebench.models.distributed import num_processes, synchronise_batch_norm
from iebench.models.online import Watched
from iebench.models.precision import choose_device, choose_precision, keep_memory, precision_plugin
from iebench.models.registry import find_method
from iebench.models.runs import RunConfig, describe_dataset
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.weights import load_backbone

PROBE_LEARNING_RATE = 1e-3


@dataclass
class Session:
    """What a step needs, and how many steps there are.

    Attributes:
        config: All that decides the training.
        fabric: Devices, processes and precision.
        module: `watched`, as Fabric wraps it.
        watched: The method with its online probes.
        optimizer: Of both.
        loader: Training pairs; each pass over it is the next epoch.
        val_loader: Pairs of the split val; None if there is none.
        num_steps: Steps of the whole training.
        steps_per_epoch: Batches of a whole epoch.
    """

    config: RunConfig
    fabric: Fabric
    module: nn.Module
    watched: Watched
    optimizer: Any
    loader: Any
    val_loader: Any
    num_steps: int
    steps_per_epoch: int

    @property
    def trainer(self) -> TrainerSettings:
        return self.config.trainer

    @property
    def validation_steps(self) -> int:
        """Steps between two passes over val."""
        return self.trainer.validate_every * self.steps_per_epoch

    def learning_rate(self, step: int) -> float:
        """The method's learning rate in a step."""
        return learning_rate_at(self.trainer, step, self.steps_per_epoch, self.num_steps)

    def gather_objects(self, value: Any) -> list[Any]:
        """A value of each process, in the order of their ranks."""
        if num_processes() == 1:
            return [value]
        values = [None] * num_processes()
        distributed.all_gather_object(values, value)
        return values


def set_up(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path) -> Session:
    """Opens the dataset and builds everything.

    Raises:
        UsageError: if settings, machine and dataset do not fit each other.
    """
    find_method(name)
    fabric = launch(trainer)
    torch.manual_seed(trainer.seed)
    trainer = replace(trainer, precision=choose_precision(trainer.precision, fabric.device.type))
    pairs = open_pairs(data, "train", method_settings, trainer)
    val = open_pairs(data, "val", method_settings, trainer) if "val" in pairs.dataset.card.splits else None
    check_batch_size(trainer.batch_size, len(pairs))
    config = RunConfig(
        name, method_settings, trainer, describe_dataset(pairs.dataset), pairs.transform_size, len(CLASSES)
    )
    watched = build(config, len(pairs.dataset.classes))
    synchronise_batch_norm(watched, fabric.device)
    module, optimizer = fabric.setup(watched, make_optimizer(watched, trainer))
    local_batch = trainer.batch_size // num_processes()
    num_workers = min(trainer.num_workers, num_cores())
    loader = pairs.loader(local_batch, num_workers, last="drop")
    val_loader = val.loader(local_batch, num_workers, last="pad") if val else None
    num_steps = trainer.steps or trainer.epochs * len(loader)
    return Session(config, fabric, module, watched, optimizer, loader, val_loader, num_steps, len(loader))


def launch(trainer: TrainerSettings) -> Fabric:
    """Fabric, with its processes started."""
    device = choose_device(trainer.accelerator)
    if device == "cpu":
        keep_memory()
    if device == "cuda" and trainer.devices > torch.cuda.device_count():
        raise UsageError(f"--devices {trainer.devices}: this machine has {torch.cuda.device_count()} CUDA devices")
    plugin = precision_plugin(choose_precision(trainer.precision, device), device)
    torch.backends.cudnn.benchmark = True  # image sizes stay the same
    many = trainer.devices * trainer.nodes > 1
    fabric = Fabric(
        accelerator=device,
        devices=trainer.devices,
        num_nodes=trainer.nodes,
        strategy="ddp" if many else "auto",
        plugins=plugin,
    )
    fabric.launch()
    return fabric


def open_pairs(data: Path, split: str, method_settings: MethodSettings, trainer: TrainerSettings) -> PairDataset:
    """The pairs of a split; those of val are the same whatever the seed."""
    seed = trainer.seed if split == "train" else 0
    return PairDataset(data, split=split, transform=method_settings.transform, seed=seed, size=trainer.size or None)


def num_cores() -> int:
    """How many cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def check_batch_size(batch_size: int, num_pairs: int) -> None:
    """Raises UsageError if a batch is too small for statistics, too large for the split, or cannot be divided."""
    if batch_size < 2:
        raise UsageError(f"--batch-size {batch_size}: batch norm and the losses need 2 pairs at least")
    if batch_size > num_pairs:
        raise UsageError(
            f"--batch-size {batch_size} is more than the {num_pairs} objects of the split train; take fewer"
        )
    if batch_size % num_processes():
        raise UsageError(
            f"--batch-size {batch_size} cannot be divided among {num_processes()} processes; take a multiple"
        )


def build(config: RunConfig, num_classes: int) -> Watched:
    """The method, from the weights that it shall start with, and its online probes.

    Raises:
        UsageError: if the dataset has too few classes for the method.
    """
    method = config.build_method()
    if num_classes < method.min_classes:
        raise UsageError(
            f"{config.method} needs {method.min_classes} classes and the dataset has {num_classes}; render more"
        )
    if config.trainer.backbone_weights:
        load_backbone(method.backbone, Path(config.trainer.backbone_weights))
    if config.trainer.compile:
        method.backbone.compile()
    watched: Any = Watched(method, config.num_labels)  # torch's types know no memory format here
    return watched.to(memory_format=torch.channels_last)


def make_optimizer(watched: Watched, trainer: TrainerSettings) -> torch.optim.Optimizer:
    """Adam for the method, and for the probes beside it at a rate of their own."""
    method = [parameter for parameter in watched.method.parameters() if parameter.requires_grad]
    groups = [
        {"params": method, "weight_decay": trainer.weight_decay, "is_probe": False},
        {"params": list(watched.probes.parameters()), "lr": PROBE_LEARNING_RATE, "is_probe": True},
    ]
    return torch.optim.Adam(groups, lr=trainer.learning_rate, fused=True)


def learning_rate_at(trainer: TrainerSettings, step: int, steps_per_epoch: int, num_steps: int) -> float:
    """The learning rate of a step: constant, or a linear warm-up and then a cosine to zero."""
    if trainer.schedule == "constant":
        return trainer.learning_rate
    warmup = min(trainer.warmup_epochs * steps_per_epoch, num_steps)
    if step < warmup:
        return trainer.learning_rate * (step + 1) / warmup
    progress = (step - warmup) / max(num_steps - warmup, 1)
    return trainer.learning_rate * (1 + math.cos(math.pi * progress)) / 2

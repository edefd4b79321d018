"""A training that is set up: dataset, method, probes and optimiser on their devices."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import torch
from lightning.fabric import Fabric
from torch import distributed, nn

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.factors.transforms import make_transform
from iebench.loader.decode import Decoder
from iebench.models.distributed import num_processes, synchronise_batch_norm
from iebench.models.loggers import find_loggers
from iebench.models.method import Method
from iebench.models.online_probes import ProbedMethod
from iebench.models.precision import choose_accelerator, choose_precision, keep_memory, precision_plugin
from iebench.models.registry import find_method
from iebench.models.runs import RunConfig, identify_dataset
from iebench.models.settings import MethodSettings, TrainerSettings
from iebench.models.training_views import make_loader, open_views, rotation_columns

PROBE_LEARNING_RATE = 1e-3


@dataclass
class Session:
    """What a step needs, and how many steps there are.

    Attributes:
        config: all that decides the training.
        fabric: devices, processes and precision.
        module: `probed`, as Fabric wraps it.
        probed: the method with its online probes.
        optimizer: of both.
        loader: training views; each pass over it is the next epoch.
        val_loader: views of the split val; None if there is none.
        num_steps: steps of the whole training.
        steps_per_epoch: batches of a whole epoch.
    """

    config: RunConfig
    fabric: Fabric
    module: nn.Module
    probed: ProbedMethod
    optimizer: Any
    loader: Any
    val_loader: Any
    num_steps: int
    steps_per_epoch: int

    @property
    def trainer(self) -> TrainerSettings:
        """The trainer's settings."""
        return self.config.trainer

    @property
    def method(self) -> Method:
        """What is trained."""
        return self.probed.method

    @property
    def images_per_step(self) -> int:
        """Images of all processes that a step reads."""
        return self.method.num_views * self.trainer.batch_size

    @property
    def validation_steps(self) -> int:
        """Steps between two passes over val."""
        return self.trainer.validate_every * self.steps_per_epoch

    def learning_rate(self, step: int) -> float:
        """The method's learning rate in a step."""
        return self.method.learning_rate(self.trainer, step, self.steps_per_epoch, self.num_steps)

    def close(self) -> None:
        """End the processes that load data."""
        for loader in (self.loader, self.val_loader):
            if loader is not None:
                loader.close()

    def gather_objects(self, value: Any) -> list[Any]:
        """A value of each process, in the order of their ranks."""
        if num_processes() == 1:
            return [value]
        values = [None] * num_processes()
        distributed.all_gather_object(values, value)
        return values


def set_up(name: str, method_settings: MethodSettings, trainer: TrainerSettings, data: Path) -> Session:
    """Open the dataset and build everything.

    Raises:
        UsageError: if settings, machine and dataset do not fit each other.
    """
    find_method(name)
    find_loggers(trainer.log)
    dataset = Dataset(data)
    num_objects = len(dataset.split_indices("train"))
    check_batch_size(trainer.batch_size, num_objects, trainer.devices * trainer.nodes)  # before these are started
    fabric = launch(trainer)
    torch.manual_seed(trainer.seed)
    trainer = replace(trainer, precision=choose_precision(trainer.precision, fabric.device.type))
    check_batch_size(trainer.batch_size, num_objects, num_processes())  # torchrun or SLURM may have started more
    config = configure(name, method_settings, trainer, dataset)
    method = build(config, len(dataset.classes))
    train = open_views(dataset, "train", config, method, fabric.device)
    val = open_views(dataset, "val", config, method) if "val" in dataset.card.splits else None
    method.prepare(train)
    probed = keep_channels_last(ProbedMethod(method, config.num_labels, rotation_columns(train)))
    synchronise_batch_norm(probed, fabric.device)
    module, optimizer = fabric.setup(probed, make_optimizer(probed, trainer))
    loader = make_loader(train, trainer, "drop")
    val_loader = make_loader(val, trainer, "pad") if val else None
    num_steps = trainer.steps or trainer.epochs * len(loader)
    return Session(config, fabric, module, probed, optimizer, loader, val_loader, num_steps, len(loader))


def configure(name: str, method_settings: MethodSettings, trainer: TrainerSettings, dataset: Dataset) -> RunConfig:
    """All that decides a training on a dataset."""
    transform = make_transform(method_settings.transform, dataset.space)
    size = Decoder(dataset.card, trainer.size or None).size
    identity = identify_dataset(dataset)
    labels = dataset.num_labels
    return RunConfig(name, method_settings, trainer, identity, transform.size, labels, size, dataset.space)


def launch(trainer: TrainerSettings) -> Fabric:
    """Fabric, with its processes started."""
    device = choose_accelerator(trainer.accelerator)
    if device == "cpu":
        keep_memory()
    if device == "cuda" and trainer.devices > torch.cuda.device_count():
        raise UsageError(f"--devices {trainer.devices}: this machine has {torch.cuda.device_count()} CUDA devices.")
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


def check_batch_size(batch_size: int, num_objects: int, processes: int) -> None:
    """Raise UsageError if a batch is too small for statistics, too large for the split, or cannot be divided."""
    if batch_size < 2:
        raise UsageError(f"--batch-size {batch_size}: batch norm and the losses need 2 objects at least.")
    if batch_size > num_objects:
        raise UsageError(
            f"--batch-size {batch_size} is more than the {num_objects} objects of the split train; take fewer."
        )
    if batch_size % processes:
        raise UsageError(f"--batch-size {batch_size} cannot be divided among {processes} processes; take a multiple.")


def build(config: RunConfig, num_classes: int) -> Method:
    """The method, from the weights that it shall start with.

    Raises:
        UsageError: if the dataset has too few classes for the method.
    """
    method = config.build_method(config.trainer.backbone_weights)
    if num_classes < method.min_classes:
        raise UsageError(
            f"{config.method} needs {method.min_classes} classes and the dataset has {num_classes}; render more."
        )
    if config.trainer.compile:
        method.backbone.compile()
    return method


def keep_channels_last(module: ProbedMethod) -> ProbedMethod:
    """Bring the filters of all convolutions into channels-last memory format; torch's own way fails on tensors of 5 axes."""
    for tensor in (*module.parameters(), *module.buffers()):
        if tensor.ndim == 4:
            tensor.data = tensor.data.to(memory_format=torch.channels_last)
    return module


def make_optimizer(probed: ProbedMethod, trainer: TrainerSettings) -> torch.optim.Optimizer:
    """The method's optimiser, to which the online probes are added at a rate of their own."""
    optimizer = probed.method.make_optimizer(trainer)
    for group in optimizer.param_groups:
        group["is_probe"] = False
    group = {"params": list(probed.probes.parameters()), "lr": PROBE_LEARNING_RATE, "weight_decay": 0, "is_probe": True}
    optimizer.add_param_group(group)
    return optimizer

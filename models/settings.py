"""Settings are frozen dataclasses whose fields carry their own help, so that the command line can be made from them."""

import math
from collections.abc import Collection, Iterable
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from iebench.errors import IebenchError, UsageError, check_seed
from iebench.escapes import printable

POOLS = ("auto", "cls", "mean", "cls+mean", "map")  # see `iebench.models.pooling`
NORMALISATIONS = ("model", "3diebench", "imagenet", "unit", "none")  # see `iebench.models.preprocessing`
LEAST_TEMPERATURE = 1e-4  # of a contrast: smaller ones divide by next to nothing
TYPES = ("float32", "bfloat16", "float16")
BACKBONES = (
    "resnet18, resnet34 or resnet50, torchvision's; resnet18-narrow, for CPUs; resnet18-small-stem or "
    "resnet18-narrow-small-stem (3x3, no pooling); resnet18-sie or resnet50-sie, as published; or package.module:function of "
    "your own."
)  # what --backbone may be; the names are those of `backbones.RESNETS`, which would bring torch
MODELS = (
    "hf:OWNER/NAME[@REVISION] of the Hugging Face hub; hf:./FOLDER that transformers saved; timm:NAME; a run; or a backbone: "
    + BACKBONES
)  # what --model of `iebench eval` may be


def setting(
    default: Any,
    help: str,
    changes_results: bool = True,
    minimum: float = 0,
    maximum: float = math.inf,
    is_later: bool = False,
) -> Any:
    """A field of a settings dataclass.

    Args:
        default: its value unless given.
        help: one line for the command line.
        changes_results: whether a run may be resumed only with the same value.
        minimum, maximum: the least and the most that a number may be.
        is_later: whether runs of earlier versions do not have it. Its default is what they did, and is not written down, so that
            their results and those of runs of today stand in one row.
    """
    bounds = {"minimum": minimum, "maximum": maximum}
    told = {"help": help, "changes_results": changes_results, "is_later": is_later, **bounds}
    return field(default=default, metadata=told)


@dataclass(frozen=True)
class Setting:
    """One field of a settings dataclass, as the command line sees it."""

    name: str
    kind: type
    default: Any
    choices: tuple[str, ...]
    help: str
    changes_results: bool
    minimum: float
    maximum: float

    @property
    def option(self) -> str:
        """Its name on the command line."""
        return "--" + self.name.replace("_", "-")


def list_settings(settings: type) -> list[Setting]:
    """The fields of a settings dataclass, in order."""
    hints = get_type_hints(settings)
    return [
        Setting(
            name=entry.name,
            kind=str if get_origin(hints[entry.name]) is Literal else hints[entry.name],
            default=None if entry.default is MISSING else entry.default,
            choices=get_args(hints[entry.name]) if get_origin(hints[entry.name]) is Literal else (),
            **{name: entry.metadata[name] for name in ("help", "changes_results", "minimum", "maximum")},
        )
        for entry in fields(settings)
    ]


def make_settings(settings: type, values: dict[str, Any], path: str, writer: str) -> Any:
    """The settings dataclass from stored values.

    Args:
        settings: the dataclass.
        values: of its fields.
        path: where they are stored.
        writer: version of iebench that stored them.

    Raises:
        IebenchError: if a name is not one of its fields, as in files of a later version.
        UsageError: if a value is of another type than its field.
    """
    check_known(values, {entry.name for entry in fields(settings)}, path, writer)
    for entry in list_settings(settings):
        if entry.name in values:
            check_type(entry, values[entry.name])
    return settings(**values)


def check_known(found: Iterable[str], known: Collection[str], path: str, writer: str) -> None:
    """Raise IebenchError if a file has names that this version does not know."""
    if unknown := sorted(set(found) - set(known)):
        names = printable(", ".join(unknown))
        raise IebenchError(
            f"{path} has settings that this version does not know ({names:.200}): install the iebench that wrote it "
            f"({printable(writer):.40})."
        )


def settings_to_json(settings: Any) -> dict[str, Any]:
    """Plain values, without later settings that are at their defaults."""
    return {
        entry.name: getattr(settings, entry.name)
        for entry in fields(settings)
        if not (entry.metadata["is_later"] and getattr(settings, entry.name) == entry.default)
    }


def check_type(entry: Setting, value: Any) -> None:
    """Raise UsageError if a stored value is none that the command line would give."""
    fits = type(value) is entry.kind or (entry.kind is float and type(value) is int)
    if (entry.kind in (bool, int, float, str) and not fits) or (entry.choices and value not in entry.choices):
        raise UsageError(f"{entry.option} {value!r:.60} is no {' or '.join(entry.choices) or entry.kind.__name__}.")


def check_numbers(settings: Any) -> None:
    """Raise UsageError if a number is outside its bounds."""
    for entry in list_settings(type(settings)):
        value = getattr(settings, entry.name)
        if entry.kind is float and not math.isfinite(value):
            raise UsageError(
                f"{entry.option} {value} is no number that training can use: give one like {entry.default}."
            )
        if entry.kind in (int, float) and value < entry.minimum:
            raise UsageError(f"{entry.option} {value} is less than {entry.minimum:g}.")
        if entry.kind in (int, float) and value > entry.maximum:
            raise UsageError(f"{entry.option} {value} is more than {entry.maximum:g}.")


@dataclass(frozen=True)
class MethodSettings:
    """What every method is told."""

    def __post_init__(self) -> None:
        check_numbers(self)

    transform: Literal["rotation", "rotation+color", "all"] = setting(
        "rotation", "What is known of the way from source to target."
    )
    backbone: str = setting("resnet18", BACKBONES)


@dataclass(frozen=True)
class AllPairsSettings(MethodSettings):
    """What methods are told whose terms are means over pairs and statistics of the batch, so that views may be in many pairs."""

    num_views: int = setting(
        2, "Views of each object in a step; of more than 2, all ordered pairs are taken.", minimum=2
    )


@dataclass(frozen=True)
class TrainerSettings:
    """How to train; the defaults are the SIE paper's."""

    def __post_init__(self) -> None:
        check_numbers(self)
        check_seed(self.seed)

    epochs: int = setting(2000, "Epochs; one shows random views of each object.", minimum=1)
    steps: int = setting(0, "Steps of the optimiser; 0: as many as the epochs have.")
    batch_size: int = setting(1024, "Objects in a step, over all processes.")
    learning_rate: float = setting(1e-3, "Learning rate of the optimiser.")
    schedule: Literal["constant", "cosine"] = setting("constant", "Of the learning rate; cosine has a warm-up.")
    warmup_epochs: int = setting(10, "Epochs of linear warm-up of the cosine schedule.")
    warmup_steps: int = setting(0, "Steps of the warm-up; 0: as many as its epochs have.", is_later=True)
    weight_decay: float = setting(1e-6, "Weight decay of the optimiser.")
    backbone_weights: str = setting(
        "", "File of weights to start the backbone from: ours, torchvision's, SIE's and others'."
    )
    size: int = setting(0, "Side in pixels to which images are scaled; 0: as they are.")
    precision: Literal["auto", "bf16", "16", "32"] = setting("auto", "auto: bf16 where the machine multiplies it.")
    compile: bool = setting(False, "Compile the backbone, for CUDA: on a CPU it takes minutes and brings nothing.")
    seed: int = setting(0, "Of the weights and of the views.")
    accelerator: Literal["auto", "cpu", "cuda"] = setting("auto", "Where to train.")
    devices: int = setting(1, "Devices, or processes on a CPU, of each node.", changes_results=False, minimum=1)
    nodes: int = setting(1, "Nodes; torchrun and SLURM are found by themselves.", changes_results=False, minimum=1)
    num_workers: int = setting(
        4, "Processes that load views for each device; no more than cores.", changes_results=False
    )
    resident: bool = setting(
        False,
        "Keep all images of train decoded, on the CUDA device where they fit, else in memory.",
        changes_results=False,
        is_later=True,
    )
    log: str = setting(
        "tensorboard",
        "Where metrics go beside metrics.csv: tensorboard, wandb, trackio, csv for nowhere, package.module:name; commas between.",
        changes_results=False,
        is_later=True,
    )
    log_every: int = setting(10, "Steps between two rows of metrics.", changes_results=False, minimum=1)
    validate_every: int = setting(
        10, "Epochs between two passes of the online probes over val.", changes_results=False, minimum=1
    )
    checkpoint_every: int = setting(500, "Steps between two checkpoints.", changes_results=False, minimum=1)

    def count_warmup_steps(self, steps_per_epoch: int) -> int:
        """Steps of the cosine schedule's warm-up."""
        return self.warmup_steps or self.warmup_epochs * steps_per_epoch

"""The directory of one training: what it was told, and the method that came out."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from iebench.errors import IebenchError, UsageError
from iebench.factors.space import FactorSpace
from iebench.files import write_whole
from iebench.models import checkpoints
from iebench.models.method import Entry, Method
from iebench.models.registry import build_method, find_method
from iebench.models.settings import MethodSettings, TrainerSettings, list_settings, make_settings
from iebench.models.weights import load_exactly
from iebench.version import __version__

CONFIG, CHECKPOINT = "config.json", "last.ckpt"
METHOD_PREFIX = "method."


@dataclass(frozen=True)
class RunConfig:
    """All that decides a training.

    Attributes:
        method: the method's name, or `package.module:Class`.
        method_settings: its settings.
        trainer: the trainer's settings.
        dataset: the dataset's name and a hash of its content.
        transform_size: number of coordinates of a transform.
        num_labels: number of labels that a classifier tells apart.
        image_size: side of the images in pixels; 0 in runs that did not write it down.
        space: the factor space; None in such runs.
    """

    method: str
    method_settings: MethodSettings
    trainer: TrainerSettings
    dataset: dict[str, str]
    transform_size: int
    num_labels: int
    image_size: int = 0
    space: FactorSpace | None = None

    def build_method(self, backbone_weights: str = "") -> Method:
        """The method with fresh weights, or with a backbone from a file."""
        return build_method(
            self.method,
            self.method_settings,
            self.transform_size,
            self.num_labels,
            self.image_size,
            self.space,
            backbone_weights,
        )

    def to_json(self) -> dict[str, Any]:
        """Plain values."""
        return {**asdict(self), "space": self.space and self.space.to_json()}

    def write(self, out: Path) -> None:
        """Write `config.json`."""
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / CONFIG, json.dumps({**self.to_json(), "iebench": __version__}, indent=2) + "\n", lasting=True)


def identify_dataset(dataset: Any) -> dict[str, str]:
    """A dataset's name, and a hash of its shards and tables."""
    content = json.dumps(dataset.card.content(), sort_keys=True)
    return {"name": dataset.card.name, "sha256": hashlib.sha256(content.encode()).hexdigest()}


def read_config(run: Path) -> RunConfig:
    """Read a run's `config.json`.

    Raises:
        IebenchError: if there is none, it is damaged, or its method is not there.
    """
    path = run / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        name = str(values["method"])
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{run} is no run: it has no {CONFIG}; name the --out of an iebench train.") from None
    except (ValueError, KeyError, TypeError) as error:
        raise _damage(path, error) from error
    entry = find_method(name)  # may import somebody else's file, whose errors are not this file's
    try:
        return _parse_config(values, entry, str(path))
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise _damage(path, error) from error


def _parse_config(values: dict[str, Any], entry: Entry, path: str) -> RunConfig:
    values.pop("iebench")
    values["method_settings"] = make_settings(entry.settings, values["method_settings"], path)
    values["trainer"] = make_settings(TrainerSettings, values["trainer"], path)
    space = values.pop("space", None)
    return RunConfig(**values, space=space and FactorSpace.from_json(space))


def _damage(path: Path, error: Exception) -> IebenchError:
    return IebenchError(f"{path} is damaged ({error}); train again into another directory.")


def read_checkpoint(run: Path) -> dict[str, Any]:
    """Read a run's `last.ckpt`.

    Raises:
        IebenchError: if it is absent, damaged, or no checkpoint of a run.
    """
    content = checkpoints.load(run / CHECKPOINT)
    if not isinstance(content.get("module"), dict):
        raise IebenchError(f"{run / CHECKPOINT} is no checkpoint of a run: restore it, or train again.")
    return content


def check_same(stored: RunConfig, wanted: RunConfig, run: Path) -> None:
    """Check that a run may be continued with these settings.

    Raises:
        UsageError: if it is of another method, dataset or setting that changes results; it names the first.
    """
    mend = "give another --out, or the same settings to resume"
    if stored.method != wanted.method:
        raise UsageError(f"{run} is a run of {stored.method}, not of {wanted.method}; {mend}.")
    if stored.dataset != wanted.dataset:
        raise UsageError(f"{run} was trained on another dataset, {stored.dataset['name']}; {mend}.")
    for before, now in ((stored.method_settings, wanted.method_settings), (stored.trainer, wanted.trainer)):
        for entry in list_settings(type(now)):
            old, new = getattr(before, entry.name), getattr(now, entry.name)
            if entry.changes_results and old != new:
                raise UsageError(f"{run} was trained with {entry.option} {old}, not {new}; {mend}.")


def load(run: str | Path) -> Method:
    """The trained method of a run, on the CPU and in eval mode.

    Raises:
        IebenchError: if the directory is no run, or its checkpoint is absent, damaged or does not fit.
    """
    run = Path(run)
    method = read_config(run).build_method()
    module = read_checkpoint(run)["module"]
    own = {name.removeprefix(METHOD_PREFIX): value for name, value in module.items() if name.startswith(METHOD_PREFIX)}
    load_exactly(method, own, str(run / CHECKPOINT))
    return method.eval()


def export_backbone(run: str | Path, path: str | Path) -> None:
    """Write the plain weights of a run's backbone, under torchvision's names for our ResNets.

    Raises:
        UsageError: if `path` is a folder.
    """
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; name a file for the weights.")
    checkpoints.save(Path(path), load(run).backbone.state_dict())

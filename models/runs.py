"""The directory of one training: what it was told, and the method that came out."""

import hashlib
import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from iebench.errors import IebenchError, UsageError
from iebench.models import checkpoints
from iebench.models.method import Method
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
        method: The method's name.
        method_settings: Its settings.
        trainer: The trainer's settings.
        dataset: The dataset's name and a hash of its content.
        transform_size: Number of coordinates of a pair's transform.
        num_labels: Number of labels of the benchmark.
    """

    method: str
    method_settings: MethodSettings
    trainer: TrainerSettings
    dataset: dict[str, str]
    transform_size: int
    num_labels: int

    def build_method(self) -> Method:
        """The method with fresh weights."""
        return build_method(self.method, self.method_settings, self.transform_size, self.num_labels)

    def write(self, out: Path) -> None:
        """Writes `config.json`."""
        out.mkdir(parents=True, exist_ok=True)
        partial = out / f"{CONFIG}.partial"
        partial.write_text(json.dumps({**asdict(self), "iebench": __version__}, indent=2) + "\n")
        partial.replace(out / CONFIG)


def describe_dataset(dataset: Any) -> dict[str, str]:
    """A dataset's name, and a hash of its shards and tables."""
    told = dataset.card.to_json()
    content = json.dumps([told["shards"], told["files"]], sort_keys=True)
    return {"name": dataset.card.name, "sha256": hashlib.sha256(content.encode()).hexdigest()}


def read_config(run: Path) -> RunConfig:
    """Reads a run's `config.json`.

    Raises:
        IebenchError: if there is none or it is damaged.
    """
    path = run / CONFIG
    try:
        values = json.loads(path.read_text(encoding="utf-8"))
        values.pop("iebench")
        entry = find_method(values["method"])
        values["method_settings"] = make_settings(entry.settings, values["method_settings"], str(path))
        values["trainer"] = make_settings(TrainerSettings, values["trainer"], str(path))
        return RunConfig(**values)
    except (FileNotFoundError, NotADirectoryError):
        raise IebenchError(f"{run} is no run: it has no {CONFIG}; name the --out of an iebench train") from None
    except (ValueError, KeyError, TypeError, AttributeError, UsageError) as error:
        raise IebenchError(f"{path} is damaged ({error}); train again into another directory") from error


def read_checkpoint(run: Path) -> dict[str, Any]:
    """Reads a run's `last.ckpt`.

    Raises:
        IebenchError: if it is absent, damaged, or no checkpoint of a run.
    """
    content = checkpoints.load(run / CHECKPOINT)
    if not isinstance(content.get("module"), dict):
        raise IebenchError(f"{run / CHECKPOINT} is no checkpoint of a run: restore it, or train again")
    return content


def check_same(stored: RunConfig, asked: RunConfig, run: Path) -> None:
    """Checks that a run may be continued with what is asked for.

    Raises:
        UsageError: if it is of another method, dataset or setting that changes results; it names the first.
    """
    mend = "give another --out, or the same settings to resume"
    if stored.method != asked.method:
        raise UsageError(f"{run} is a run of {stored.method}, not of {asked.method}; {mend}")
    if stored.dataset != asked.dataset:
        raise UsageError(f"{run} was trained on another dataset, {stored.dataset['name']}; {mend}")
    for before, now in ((stored.method_settings, asked.method_settings), (stored.trainer, asked.trainer)):
        for entry in list_settings(type(now)):
            old, new = getattr(before, entry.name), getattr(now, entry.name)
            if entry.changes_results and old != new:
                raise UsageError(f"{run} was trained with {entry.option} {old}, not {new}; {mend}")


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
    """Writes the plain weights of a run's backbone, under torchvision's names for our ResNets.

    Raises:
        UsageError: if `path` is a folder.
    """
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; name a file for the weights")
    checkpoints.save(Path(path), load(run).backbone.state_dict())

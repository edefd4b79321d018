"""The directory of one training: what it was told, and the method that came out."""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from iebench.dataset.hub import is_hub
from iebench.errors import IebenchError, UsageError
from iebench.factors.space import FactorSpace
from iebench.files import write_whole
from iebench.limits import MAX_FACTORS, MAX_IMAGE_SIDE, MAX_LABEL, MAX_LAYERS, MAX_PARAMETERS
from iebench.models import checkpoints
from iebench.models.method import Entry, Method
from iebench.models.registry import build_method, find_method
from iebench.models.remote_runs import fetch_run
from iebench.models.settings import (
    MethodSettings,
    TrainerSettings,
    check_known,
    list_settings,
    make_settings,
    settings_to_json,
)
from iebench.models.shared_weights import WEIGHTS, read_weights
from iebench.models.weights import load_exactly
from iebench.plugins import Trust, check_trusted, is_dotted
from iebench.untrusted import count, of_type, read_json, refusals, tell
from iebench.version import __version__

CONFIG, CHECKPOINT = "config.json", "last.ckpt"
METHOD_PREFIX = "method."
_WIDEST = 2048  # coordinates of a representation of our backbones
_MEND = "train again into another directory"


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
        told = {"method_settings": settings_to_json(self.method_settings), "trainer": settings_to_json(self.trainer)}
        return {**asdict(self), **told, "space": self.space and self.space.to_json()}

    def write(self, out: Path) -> None:
        """Write `config.json`."""
        out.mkdir(parents=True, exist_ok=True)
        write_whole(out / CONFIG, json.dumps({**self.to_json(), "iebench": __version__}, indent=2) + "\n", lasting=True)


def identify_dataset(dataset: Any) -> dict[str, str]:
    """A dataset's name, and a hash of its shards and tables."""
    content = json.dumps(dataset.card.content(), sort_keys=True)
    return {"name": dataset.card.name, "sha256": hashlib.sha256(content.encode()).hexdigest()}


def read_config(run: Path, trust: Trust = False) -> RunConfig:
    """Read a run's `config.json`.

    Args:
        run: its directory.
        trust: whether to import code that it names, `package.module:name`: all, none, or what has one of these names.

    Raises:
        IebenchError: if there is none, it is damaged or of a later version, its method is not there, or it names code that is
            not trusted.
    """
    path, values = run / CONFIG, read_config_values(run)
    check_trusted((values["method"], values["method_settings"].get("backbone", "")), trust, path)
    entry = find_method(values["method"])  # may import somebody else's file, whose errors are not this file's
    with refusals(path, _MEND):
        return _parse_config(values, entry, str(path))


def read_config_values(run: Path) -> dict[str, Any]:
    """What a run's `config.json` says, as plain values; nothing that it names is imported.

    Raises:
        IebenchError: there is none, or it is damaged.
    """
    if not (run / CONFIG).exists():
        raise UsageError(f"{run} is no run: it has no {CONFIG}; name the --out of an iebench train.")
    with refusals(run / CONFIG, _MEND):
        values = read_json(run / CONFIG)
        of_type(values["method"], str, "method")
        of_type(values["method_settings"].get("backbone", ""), str, "backbone")
        return values


def _parse_config(values: dict[str, Any], entry: Entry, path: str) -> RunConfig:
    writer = of_type(values.pop("iebench"), str, "iebench")
    check_known(values, {field.name for field in fields(RunConfig)}, path, writer)
    values["method_settings"] = make_settings(entry.settings, values["method_settings"], path, writer)
    values["trainer"] = make_settings(TrainerSettings, values["trainer"], path, writer)
    space = values.pop("space", None)
    of_type(values["dataset"]["name"], str, "the dataset's name")
    for key, high in (("transform_size", MAX_FACTORS), ("num_labels", MAX_LABEL + 1), ("image_size", MAX_IMAGE_SIDE)):
        count(values.get(key, 0), 0, high, key)
    return RunConfig(**values, space=space and FactorSpace.from_json(space))


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


def check_backbone(run: Path, backbone: str) -> None:
    """Check that a run has the backbone that the user names.

    Raises:
        UsageError: it has another.
    """
    values = read_config_values(run)
    stored = values["method_settings"].get("backbone")
    if stored is None and not is_dotted(
        values["method"]
    ):  # an old run; another's method is not imported for its default
        stored = find_method(values["method"]).settings().backbone
    if stored is not None and stored != backbone:
        raise UsageError(f"{run} has the backbone {stored}, not --backbone {backbone}: leave that out.")


def load(run: str | Path, trust: Trust = False) -> Method:
    """The trained method of a run, on the CPU and in eval mode.

    Args:
        run: its directory, one that `iebench push` wrote, or the address of such a one on the hub, hf://ORG/NAME@REVISION.
        trust: whether to import and run code of others that its `config.json` names, `package.module:name`: all, or what has
            one of these names. Without, such a run is refused.

    Raises:
        UsageError: if it names code that is not trusted.
        IebenchError: if the directory is no run, or its weights are absent, damaged or do not fit.
    """
    run = find_run(run)
    config = read_config(run, trust)
    method = _build(config, run)
    load_exactly(method, read_tensors(run), str(_weights_file(run)))
    return method.eval()


def find_run(run: str | Path) -> Path:
    """The directory of a run, which is fetched first where it is on the hub.

    Raises:
        IebenchError: it cannot be fetched.
    """
    return fetch_run(str(run)) if is_hub(run) else Path(run)


def read_tensors(run: Path) -> dict[str, Tensor]:
    """The weights of a run's method by name, from its checkpoint, or from what `iebench push` wrote.

    Raises:
        IebenchError: they are absent or damaged.
    """
    if not _weights_file(run).exists():
        raise IebenchError(
            f"{run} has no weights: name a run with its {CHECKPOINT}, or what `iebench push` wrote of it."
        )
    if _weights_file(run).name == WEIGHTS:
        return read_weights(run / WEIGHTS)
    module = read_checkpoint(run)["module"]
    return {name.removeprefix(METHOD_PREFIX): value for name, value in module.items() if name.startswith(METHOD_PREFIX)}


def _weights_file(run: Path) -> Path:
    pushed = (run / WEIGHTS).exists() and not (run / CHECKPOINT).exists()
    return run / (WEIGHTS if pushed else CHECKPOINT)


def _build(config: RunConfig, run: Path) -> Method:
    """The method that a stored config describes; where it is ours, it asks for no more than memory for `MAX_PARAMETERS`.

    Raises:
        IebenchError: it asks for more, or its sizes do not fit each other.
    """
    if is_dotted(config.method) or is_dotted(config.method_settings.backbone):
        return config.build_method()
    with refusals(run / CONFIG, _MEND):
        try:
            _check_size(config)
            return config.build_method()
        except RuntimeError as error:  # torch's, of sizes that cannot be
            raise ValueError(tell(error)) from None


def _check_size(config: RunConfig) -> None:
    values = [value for value in asdict(config.method_settings).values() if type(value) in (str, int)]
    sizes = [int(size) for value in values for size in re.findall(r"[0-9]{1,15}", str(value))]
    if max(sizes, default=0) > MAX_PARAMETERS // _WIDEST or len(sizes) > 4 * MAX_LAYERS:
        raise ValueError(f"it asks for {max(sizes)} coordinates in {len(sizes)} layers")
    if _is_small(config, sizes):
        return
    with torch.device("meta"):  # which takes no memory, and seconds when it is first used
        size = sum(parameter.numel() for parameter in config.build_method().parameters())
    if size > MAX_PARAMETERS:
        raise ValueError(f"it asks for {size} parameters, and {MAX_PARAMETERS} are allowed")


def _is_small(config: RunConfig, sizes: list[int]) -> bool:
    """Whether no method of ours can be large with such settings, of which the sizes are a part."""
    if getattr(config.method_settings, "predictor_hidden", ""):  # a deep hypernetwork's weights are their product
        return False
    squares = (len(sizes) + config.transform_size + 4) * max([*sizes, _WIDEST]) ** 2
    return squares + config.num_labels * _WIDEST <= MAX_PARAMETERS


def export_backbone(run: str | Path, path: str | Path, trust: Trust = False) -> None:
    """Write the plain weights of a run's backbone, under torchvision's names for our ResNets; `trust` is as for `load`.

    Raises:
        UsageError: if `path` is a folder.
    """
    if Path(path).is_dir():
        raise UsageError(f"{path} is a folder; name a file for the weights.")
    checkpoints.save(Path(path), load(run, trust).backbone.state_dict())

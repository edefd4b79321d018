"""A Lightning callback that scores a network on our data while somebody trains it."""

from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn

from iebench.dataset.reader import Dataset, open_dataset
from iebench.errors import UsageError
from iebench.evals.eval_dataset import StoredDataset
from iebench.evals.evaluator import Evaluator
from iebench.evals.model import Model
from iebench.evals.registry import find_evaluators
from iebench.evals.results import Results
from iebench.evals.settings import BLOCK, EvalSettings, ProbeSettings
from iebench.evals.suite import Suite, make_context
from iebench.evals.torch_state import torch_as_usual
from iebench.models.checkpoints import generators_kept
from iebench.models.modes import modes_kept
from iebench.models.network import NetworkSettings
from iebench.models.networks import PLAIN, wrap_network
from iebench.models.pooling import AUTO

_TRIAL_OBJECTS = 16  # of each split, in the trial before the first epoch
_DIVIDED = ("FSDP", "DeepSpeed", "ModelParallel")  # strategies where no process holds a whole network


class ScoreOnIebench(Callback):
    """Scores a network on a dataset of ours after epochs of a Lightning training.

    The scores are those of `iebench eval`, by probes that train on frozen representations of the split "train" and are scored on
    "val": `iebench/classification/whole/top1`, `iebench/rotation/whole/r2_uniform` …, every one that has a column in tables. They
    are logged as `LightningModule.log` does it, so that the trainer's loggers, `EarlyStopping` and `ModelCheckpoint` know them.
    Among several processes the first one scores, and the others wait. The training is bitwise what it is without: modes,
    statistics and random generators stay as they were.
    """

    def __init__(
        self,
        dataset: str | Path | Dataset,
        *,
        network: str | Callable[[LightningModule], nn.Module] = "backbone",
        every_n_epochs: int = 1,
        tasks: str | Sequence[str | Evaluator | type[Evaluator]] = ("classification", "rotation"),
        max_objects: int | None = 1000,
        epochs: int = 100,
        pool: str = AUTO,
        normalise: str = PLAIN,
        size: int | None = None,
        batch_size: int = BLOCK,
        num_workers: int = 0,
        prefix: str = "iebench",
    ) -> None:
        """Open the dataset.

        Args:
            dataset: folder or URL of a dataset with the splits "train" and "val".
            network: what is scored of the module that trains: the name of a part of it, such as "backbone" or "teacher.encoder",
                or a function that gives it. It takes images (batch, 3, size, size) and gives vectors, tokens or a map.
            every_n_epochs: of the training; the last epoch of `max_epochs` is scored too. What monitors a score sees the last one
                in the epochs between.
            tasks: names of evaluators, also "package.module:Class"; or "all" that dataset and network have what is needed for.
            max_objects: of each split at most, evenly chosen; None for all.
            epochs: of the probes.
            pool: how one vector is made of tokens or a map: "auto", "cls", "mean", "cls+mean" or "map".
            normalise: what is done to the uint8 images first: "3diebench", "imagenet", "unit" (to [0, 1]) or "none".
            size: side in pixels of the images; that of the dataset where absent.
            batch_size: images that the network sees at a time.
            num_workers: processes that decode images.
            prefix: of the names of scores.

        Raises:
            UsageError: an argument names something that does not exist.
            IebenchError: the dataset cannot be read.
        """
        if every_n_epochs < 1 or (max_objects is not None and max_objects < 1):
            raise UsageError(f"every_n_epochs={every_n_epochs}, max_objects={max_objects}: give 1 or more.")
        self.network, self.every_n_epochs, self.prefix = network, every_n_epochs, prefix
        self._dataset, self._max_objects = open_dataset(dataset), max_objects
        self._evaluators, self._must_take = find_evaluators(tasks), tasks != "all"
        self._settings = NetworkSettings(pool, normalise=normalise)
        wrap_network(nn.Identity(), "", self._settings)  # refuses names that there are not
        self._probes, self._batch_size = ProbeSettings(epochs=epochs), batch_size
        self._size, self._num_workers = size, num_workers

    def score(self, network: nn.Module) -> dict[str, float]:
        """The scores of a network as it is now, by their keys, such as "rotation/whole/r2_uniform".

        Raises:
            UsageError: dataset or network lack what a task needs.
            IebenchError: what the network gives is no finite matrix, or depends on the rest of a batch.
        """
        return self._score(network, self._max_objects, self._probes)

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse strategies that divide a network's weights among processes.

        Raises:
            UsageError: this is one.
        """
        strategy = type(trainer.strategy).__name__
        if strategy.startswith(_DIVIDED):
            raise UsageError(
                f"{strategy} divides the network among processes, and one of them scores it: train by DDP, or score checkpoints."
            )

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Try everything once with few objects, so that what does not fit is told before the first epoch."""
        if trainer.is_global_zero:
            most = min(self._max_objects or _TRIAL_OBJECTS, _TRIAL_OBJECTS)
            self._score(self._find(pl_module), most, ProbeSettings(epochs=1))

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Score and log, if it is time."""
        epoch = trainer.current_epoch + 1
        if epoch % self.every_n_epochs and epoch != trainer.max_epochs:
            return
        scores = self.score(self._find(pl_module)) if trainer.is_global_zero else {}
        scores = trainer.strategy.broadcast(scores)  # every process logs them, as what monitors them runs in each
        named = {f"{self.prefix}/{key}": value for key, value in scores.items()}
        pl_module.log_dict(named, batch_size=1, sync_dist=True)

    def _find(self, module: LightningModule) -> nn.Module:
        """The network that is scored."""
        if isinstance(self.network, str):
            try:
                return module.get_submodule(self.network)
            except AttributeError:
                parts = ", ".join(name for name, _ in module.named_children()) or "no parts"
                raise UsageError(f"The module has no part {self.network!r}: network= is one of {parts}.") from None
        found = self.network(module)
        if not isinstance(found, nn.Module):
            raise UsageError(f"network= gives a {type(found).__name__}: let it give a torch.nn.Module.")
        return found

    def _score(self, network: nn.Module, max_objects: int | None, probes: ProbeSettings) -> dict[str, float]:
        with torch_as_usual(), generators_kept(), modes_kept(network):
            results = self._suite(network, max_objects, probes).run("network")
        return _shown(results)

    def _suite(self, network: nn.Module, max_objects: int | None, probes: ProbeSettings) -> Suite:
        """The evaluation of a network.

        Raises:
            UsageError: it cannot say something about all tasks.
        """
        device = str(next(network.parameters(), torch.empty(0)).device)
        settings = EvalSettings(probes=probes, draws=0, baselines=(), device=device, batch_size=self._batch_size)
        represent = wrap_network(network, type(network).__name__, self._settings).to(device)
        data = StoredDataset(self._dataset, self._size, num_workers=self._num_workers, max_objects=max_objects)
        suite = Suite(data, None, make_context(Model(represent), data, None, settings), self._evaluators)
        unable = [evaluator.name for evaluator in self._evaluators if evaluator not in suite.able]
        if unable and self._must_take:
            raise UsageError(f"Dataset or network lack what {', '.join(unable)} needs: leave it out of tasks=.")
        return suite


def _shown(results: Results) -> dict[str, float]:
    """The scores that stand in tables."""
    found = {column.key: results.get(column.key) for column in results.columns}
    return {key: value for key, value in found.items() if value is not None}

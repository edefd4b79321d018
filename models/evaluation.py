"""Evaluating runs, methods, networks and functions: `iebench.evaluate`."""

import hashlib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.evals.earlier import find_earlier, join_results
from iebench.evals.eval_dataset import EvalDataset, open_eval_dataset
from iebench.evals.gallery import save_gallery
from iebench.evals.model import Model, Represent
from iebench.evals.probes import seeded
from iebench.evals.registry import find_evaluators
from iebench.evals.results import RESULTS, Results
from iebench.evals.settings import BASELINES, BLOCK, EvalSettings, ProbeSettings, choose_baselines
from iebench.evals.suite import Tasks, describe_basis, open_suite
from iebench.locks import locked
from iebench.models.method import Method
from iebench.models.modes import modes_kept
from iebench.models.network import DEFAULTS, Network, NetworkSettings
from iebench.models.networks import PLAIN, load_network, wrap_network
from iebench.models.pooling import AUTO
from iebench.models.preprocessing import MODEL, named_preprocessing
from iebench.models.runs import load, read_config
from iebench.models.untrained import untrained_twin
from iebench.plugins import Trust

Evaluable = str | Path | Model | Method | nn.Module | Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Candidate:
    """What is to be evaluated.

    Attributes:
        name: what results call it.
        model: as the evaluation sees it.
        untrained: the same network at random init, where there is such a thing.
        method: name of its method, or of its backbone.
        training: settings of its training, as far as known.
    """

    name: str
    model: Model
    untrained: Represent | None = None
    method: str = "backbone"
    training: dict[str, Any] = field(default_factory=dict)


def evaluate(
    model: Evaluable,
    data: EvalDataset | Dataset | str | Path,
    *,
    tasks: Tasks = "all",
    pool: str = AUTO,
    normalise: str = MODEL,
    dtype: str = "float32",
    batch_size: int = BLOCK,
    weights: str | Path | None = None,
    ood: EvalDataset | Dataset | str | Path | None = None,
    seeds: int = 1,
    epochs: int = 300,
    size: int | None = None,
    embeddings: bool = False,
    baselines: str | Sequence[str] = BASELINES,
    half: bool = False,
    cache: str | Path | None = None,
    device: str = "auto",
    num_workers: int = 2,
    out: str | Path | None = None,
    trust: Trust = False,
) -> Results:
    """Score a run, or any network, on a dataset, as `iebench eval` does.

    Args:
        model: folder of a run (a path); a method as `iebench.load` gives it; a network: a text as of `iebench.load_network`, such
            as "hf:facebook/dinov2-base", or what that gives, or a module, which is fed images normalised as 3DIEBench's; or a
            function from uint8 images (batch, 3, height, width) to representations (batch, width); or a `Model`, which has
            parts and a predictor.
        data: folder or URL of a dataset with the splits "train" and "val", or an `EvalDataset`.
        tasks: "all", or names of evaluators, also "package.module:Class".
        pool, normalise, dtype: of a network that is a text or a module: see `iebench.load_network`.
        batch_size: images that the network sees at a time; what does not fit in memory is halved.
        weights: file of weights for a network that was given by its name.
        ood: dataset of another factor space, on which the same probes are scored.
        seeds: number of probes of each kind.
        epochs: of the probes.
        size: side in pixels of the images; that of the run's training where absent, else the dataset's.
        embeddings: probe the embeddings too.
        baselines: what stands beside the scores, out of `iebench.evals.settings.BASELINES`.
        half: keep representations in float16: half the space.
        cache: folder where representations are kept between calls; below `out` where absent, else in memory.
        device: "cpu", "cuda", "cuda:1", or "auto".
        num_workers: processes that decode images.
        out: folder for `results.json` and the gallery; nothing is written where absent. Scores of other tasks that are there are
            kept where data, weights and protocol are the same.
        trust: whether to import and run code of others that a run's `config.json` names, or that comes with a model of the hub:
            all, or what has one of these names. What you name yourself as "package.module:name" is trusted.

    Raises:
        UsageError: something that was named does not exist or does not fit, or scores that lie in `out` would be lost.
        IebenchError: a run, a file or the dataset is damaged, or representations are no finite matrix.
    """
    device = choose_device(device)
    folder = None if out is None else Path(out)
    if folder is not None and folder.is_file():
        raise UsageError(f"out={folder} is a file: name a folder for the results.")
    settings = EvalSettings(
        seeds=tuple(range(seeds)),
        probes=ProbeSettings(epochs=epochs),
        embeddings=embeddings,
        baselines=choose_baselines(baselines) if isinstance(baselines, str) else tuple(baselines),
        dtype="float16" if half else "float32",
        device=device,
        batch_size=batch_size,
        cache=Path(cache) if cache is not None else folder and _own_cache(folder),
    )
    network = NetworkSettings(pool, dtype, normalise)
    with modes_kept(model):
        return _evaluate(
            prepare(model, device, weights, trust, network), data, tasks, settings, ood, size, num_workers, folder
        )


def _own_cache(folder: Path) -> Path:
    """Where a run keeps its representations; a run of others may not lead out of its folder by links.

    Raises:
        UsageError: there is a link.
    """
    cache = folder / "representations"
    for path in (cache, *cache.glob("*")):
        if path.is_symlink():
            raise UsageError(
                f"{path} is a link: remove it, or name the folder where representations shall be kept by --cache."
            )
    return cache


def _evaluate(
    candidate: Candidate,
    data: EvalDataset | Dataset | str | Path,
    tasks: Tasks,
    settings: EvalSettings,
    ood: EvalDataset | Dataset | str | Path | None,
    size: int | None,
    num_workers: int,
    folder: Path | None,
) -> Results:
    size = size or candidate.training.get("trainer", {}).get("size") or None
    opened = open_eval_dataset(data, size, num_workers)
    other = None if ood is None else open_eval_dataset(ood, size, num_workers)
    evaluators = find_evaluators(tasks)
    names = [evaluator.name for evaluator in evaluators]
    basis = describe_basis(candidate.model, opened, settings, other)
    if folder is not None:
        find_earlier(folder / RESULTS, basis, names)  # refuses before the work is done
    suite = open_suite(candidate.model, opened, evaluators, settings, other)
    results = suite.run(candidate.name, candidate.untrained)
    results = replace(results, method=candidate.method, training=candidate.training)
    if folder is None:
        return results
    with locked(folder / RESULTS, "eval", waits=True):  # another evaluation may have written meanwhile
        if (earlier := find_earlier(folder / RESULTS, basis, names)) is not None:
            results = join_results(earlier, results, names)
        results.write(folder / RESULTS)
        save_gallery(suite.context, opened, folder)
    return results


def choose_device(name: str) -> str:
    """The device of a name; "auto" is CUDA where there is one.

    Raises:
        UsageError: there is no such device here.
    """
    if name == "auto":
        return "cuda" if torch.cuda.is_available() else "cpu"
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError):
        raise UsageError(f"--device {name} is not on this machine: give cpu, or auto.") from None
    return name


def prepare(
    model: Evaluable,
    device: str = "cpu",
    weights: str | Path | None = None,
    trust: Trust = False,
    settings: NetworkSettings = DEFAULTS,
) -> Candidate:
    """What is to be evaluated, in eval mode on its device: see `evaluate` for what it may be.

    Raises:
        UsageError: there is no such run or network, or weights or settings were given where they mean nothing.
        IebenchError: a run or a file of weights is damaged.
    """
    if isinstance(model, str) and not Path(model).exists():
        network = load_network(model, weights=weights, trust=trust, **settings._asdict())
        return _prepare_network(network, device, network.name)
    if weights is not None:
        raise UsageError("Weights are for a network that is given by its name, such as resnet18.")
    if isinstance(model, nn.Module) and not isinstance(model, Method | Network):
        return _prepare_network(wrap_network(model, type(model).__name__, settings), device)
    if settings != DEFAULTS:
        raise UsageError(
            "This has a preprocessing and a pooling of its own: leave --pool, --normalise and --dtype out."
        )
    return _prepare_as_it_is(model, device, trust)


def _prepare_as_it_is(model: Evaluable, device: str, trust: Trust) -> Candidate:
    if isinstance(model, str | Path):
        return _prepare_run(Path(model), device, trust)
    if isinstance(model, Method):
        twin = _lazily(lambda: _in_place(untrained_twin(model), device).represent)
        return Candidate(type(model).__name__, model_of_method(model, device), twin)
    if isinstance(model, Network):
        return _prepare_network(model, device, model.name)
    if isinstance(model, Model):
        return Candidate("representation", model)
    if isinstance(model, type) or not callable(model):
        raise UsageError(
            f"{model!r} cannot be evaluated: give a run, a network (not its class), or a function of images."
        )
    return Candidate(getattr(model, "__name__", "representation"), Model(model))


def model_of_method(method: Method, device: str) -> Model:
    """A method as the evaluation sees it, in eval mode on a device."""
    return Model(
        represent=_in_place(method, device).represent,
        embed=method.embed_images if method.uses_map else method.embed,
        embeds_images=method.uses_map,
        predict=getattr(method, "predict", None),
        represent_set=getattr(method, "represent_set", None),
        anchor=method.anchor,
        repeatable=method.repeatable,
        parts=method.parts,
        transform=method.settings.transform,
        key=hash_weights(method),
    )


def hash_weights(network: nn.Module) -> str:
    """SHA-256 of a network: its structure, the code of its classes, and all its parameters and buffers."""
    digest = hashlib.sha256(repr(network).encode())
    for code in sorted({_code_of(kind) for kind in {type(module) for module in network.modules()}}):
        digest.update(code.encode())
    for name, value in network.state_dict().items():
        digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
        digest.update(value.detach().cpu().contiguous().flatten().view(torch.uint8).numpy())
    return digest.hexdigest()


def _code_of(kind: type) -> str:
    """The source of a class of modules, where Python finds it; torch's own are known by their names."""
    if kind.__module__.startswith("torch."):
        return kind.__qualname__
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return kind.__qualname__


def _prepare_run(run: Path, device: str, trust: Trust) -> Candidate:
    config = read_config(run, trust)
    trained = load(run, trust)

    def make_untrained() -> Represent:
        fresh = seeded(config.build_method)
        fresh.take_over(trained)
        return _in_place(fresh, device).represent

    model = model_of_method(trained, device)
    return Candidate(run.name, model, _lazily(make_untrained), config.method, config.to_json())


def _prepare_network(network: Network, device: str, method: str = "backbone") -> Candidate:
    """A network in eval mode on its device; only what is not as for a plain one stands in its method and training."""
    model = Model(_in_place(network, device), key=_key_of(network))
    untrained = _lazily(lambda: _in_place(network.untrained(), device))
    if _is_plain(network):
        return Candidate(network.name, model, untrained, method)
    changed = ", ".join([method, *network.settings_told()])
    return Candidate(network.name, model, untrained, changed, {"network": network.describe()})


def _is_plain(network: Network) -> bool:
    """Whether a network is fed as our own are, and gives its vectors by itself."""
    return network.settings_told() == [] and repr(network.preprocessing) == repr(named_preprocessing(PLAIN))


def _key_of(network: Network) -> str:
    return hash_weights(network.body if _is_plain(network) else network)


def _in_place(network: Any, device: str) -> Any:
    """A network in eval mode on a device."""
    return network.to(device).eval()


def _lazily(make: Callable[[], Represent]) -> Represent:
    """A function that is made when it is first called, as not every evaluation calls it."""
    made = cache(make)
    return lambda images: made()(images)

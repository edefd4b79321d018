"""Evaluating runs, methods, networks and functions: `iebench.evaluate`."""

import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from iebench.dataset.card import CARD
from iebench.dataset.reader import Dataset
from iebench.errors import UsageError, whole_number
from iebench.escapes import printable
from iebench.evals.baselines import settings_of_baselines
from iebench.evals.earlier import find_earlier, join_results
from iebench.evals.eval_dataset import EvalDataset, StoredDataset, open_eval_dataset
from iebench.evals.evaluator import Context, Evaluator
from iebench.evals.gallery import save_gallery
from iebench.evals.model import Model
from iebench.evals.ood import open_ood
from iebench.evals.registry import find_evaluators
from iebench.evals.results import RESULTS, Results
from iebench.evals.settings import BASELINES, BLOCK, RANDOM_INIT, EvalSettings, ProbeSettings, choose_baselines
from iebench.evals.suite import Suite, Tasks, describe_basis, make_context
from iebench.evals.torch_state import torch_as_usual
from iebench.factors.rotations import relative_rotation
from iebench.factors.space import ROTATION
from iebench.locks import locked
from iebench.models.candidates import Candidate, Evaluable, prepare
from iebench.models.layer_scores import (
    FIGURES,
    FOLDER,
    SHOWN,
    UNTRAINED,
    Layered,
    gather_curves,
    open_layers,
    score_layers,
)
from iebench.models.layers import Layers
from iebench.models.modes import modes_kept
from iebench.models.network import NetworkSettings
from iebench.models.pooling import AUTO
from iebench.models.preprocessing import MODEL
from iebench.models.runs import identify_dataset
from iebench.plugins import Trust

TURN = 1e-6  # of a quaternion's component: what is less is none


def evaluate(
    model: Evaluable,
    data: EvalDataset | Dataset | str | Path,
    *,
    tasks: Tasks = "all",
    pool: str = AUTO,
    normalise: str = MODEL,
    dtype: str = "float32",
    batch_size: int = BLOCK,
    layers: Layers | None = None,
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
    sweep: EvalDataset | Dataset | str | Path | None = None,
    trust: Trust = False,
) -> Results:
    """Score a run, or any network, on a dataset, as `iebench eval` does.

    Args:
        model: folder of a run (a path), or its address on the hub (hf://ORG/NAME@REVISION); a method as `iebench.load` gives it;
            a network: a text as of `iebench.load_network`, such as "hf:facebook/dinov2-base", or what that gives, or a module,
            which is fed images normalised as 3DIEBench's; or a function from uint8 images (batch, 3, height, width) to
            representations (batch, width); or a `Model`, which has parts and a predictor.
        data: folder or URL of a dataset with the splits "train" and "val", or an `EvalDataset`.
        tasks: "all", or names of evaluators, also "package.module:Class".
        pool, normalise, dtype: of a network that is a text or a module: see `iebench.load_network`.
        batch_size: images that the network sees at a time; what does not fit in memory is halved.
        layers: score the layers of a network or a run too: "all", or numbers and names as of
            `iebench.models.layers.choose_layers`. Their results lie below `out`, in "layers/LABEL"; the results that come back
            have "score by layer" among their details.
        weights: file of weights for a network that was given by its name.
        ood: dataset of another factor space, on whose objects outside the split "train" of `data` the same probes are scored.
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
        sweep: dataset whose views turn about the objects' z axes (`iebench render --sweep rotation_z=…`, with rotation_x and
            rotation_y at 0), among which the gallery shows how the predictor steers.
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
    if folder is not None and (folder / CARD).exists():
        raise UsageError(f"out={folder} is a dataset: name another folder for the results.")
    settings = EvalSettings(
        seeds=tuple(range(whole_number(seeds, "seeds"))),
        probes=ProbeSettings(epochs=epochs),
        embeddings=embeddings,
        baselines=choose_baselines(baselines) if isinstance(baselines, str) else tuple(baselines),
        dtype="float16" if half else "float32",
        device=device,
        batch_size=batch_size,
        cache=Path(cache) if cache is not None else folder and own_cache(folder),
    )
    network = NetworkSettings(pool, dtype, normalise)
    with torch_as_usual(), modes_kept(model):
        candidate = prepare(model, device, weights, trust, network)
        layered = None if layers is None else _find_layers(candidate, layers)
        return _evaluate(candidate, data, tasks, settings, ood, size, num_workers, folder, sweep, layered)


def own_cache(folder: Path) -> Path:
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


def _find_layers(candidate: Candidate, layers: Layers) -> Layered:
    if candidate.find_layers is None:
        raise UsageError("--layers are of a network or a run: a function does not show its layers.")
    return candidate.find_layers(layers)


def _evaluate(
    candidate: Candidate,
    data: EvalDataset | Dataset | str | Path,
    tasks: Tasks,
    settings: EvalSettings,
    ood: EvalDataset | Dataset | str | Path | None,
    size: int | None,
    num_workers: int,
    folder: Path | None,
    sweep: EvalDataset | Dataset | str | Path | None,
    layered: Layered | None,
) -> Results:
    size = size or candidate.training.get("trainer", {}).get("size") or None
    opened = open_eval_dataset(data, size, num_workers)
    other, turned = (None if each is None else open_eval_dataset(each, size, num_workers) for each in (ood, sweep))
    other = None if other is None else open_ood(other, opened)
    if turned is not None:
        _check_sweep(turned)
    evaluators, model = find_evaluators(tasks), candidate.model
    _warn_of_other_data(candidate, opened)

    def refuse(label: str, scored: Model) -> None:
        """Raise UsageError before the work is done, where scores would be lost by it."""
        if folder is not None:
            names = name_scored(evaluators, layered is not None)
            find_earlier(_folder_of(folder, label) / RESULTS, describe_basis(scored, opened, settings, other), names)

    refuse("", model)
    if layered is None:
        contexts = {"": make_context(model, opened, other, settings)}
    else:
        for label in layered.layers:
            refuse(label, Model(model.represent, key=layered.key_of(model, label)))
        contexts = open_layers(layered, model, opened, other, settings)
    suite = Suite(opened, other, contexts.pop(""), evaluators)
    results = _complete(suite.run(candidate.name, candidate.untrained), candidate)
    if contexts:
        results = _add_layers(results, contexts, suite, candidate, folder)
    return results if folder is None else _write(results, suite, folder, turned)


def _complete(results: Results, candidate: Candidate, layer: str = "") -> Results:
    """Results with what is known of the candidate's training, and of one of its layers."""
    told = {"layer": layer} if layer else {}
    name = candidate.name if candidate.method == "backbone" else candidate.method
    method = f"{name}, layer {layer}" if layer else candidate.method
    return replace(results, method=method, training={**candidate.training, **told})


def _add_layers(
    results: Results, contexts: Mapping[str, Context], suite: Suite, candidate: Candidate, folder: Path | None
) -> Results:
    """Score the layers, each with results of its own, and put score by layer beside the results of the representation."""
    found = {}
    for label, layer in score_layers(contexts, suite, candidate.name):
        found[label] = _complete(layer, candidate, label)
        if folder is not None:
            _write(found[label], replace(suite, context=contexts[label]), _folder_of(folder, label))
    curves = gather_curves(found) | gather_curves(_score_untrained(list(contexts), candidate, suite), UNTRAINED)
    return replace(results, details=results.details | curves, figures=(*results.figures, *FIGURES))


def _check_sweep(turned: EvalDataset) -> None:
    """Raise UsageError if the views of objects do anything but turn about the objects' z axes."""
    latents = np.asarray(turned.latents)
    others = [column for column, name in enumerate(turned.space.names) if name not in ROTATION]
    turns = np.zeros(4)
    if set(ROTATION) <= set(turned.space.names):
        angles = latents[..., turned.space.columns(ROTATION)]
        turns = relative_rotation(np.broadcast_to(angles[:, :1], angles.shape), angles)  # from the first view
    x, y, z = (np.abs(turns[..., axis]).max() for axis in range(3))
    if np.ptp(latents[..., others], axis=1).any() or max(x, y) > TURN or z < TURN:
        raise UsageError(
            "The views of sweep do more, or other, than turn about the objects' z axes: render them with `iebench render --sweep "
            "rotation_z=-90:90deg:73 --factor rotation_x=0 --factor rotation_y=0`."
        )


def _warn_of_other_data(candidate: Candidate, opened: EvalDataset) -> None:
    """Say so where a run has learned from another dataset, whose objects may be held out here and were not there."""
    trained = candidate.training.get("dataset", {})
    if not trained or not isinstance(opened, StoredDataset):
        return
    if trained.get("sha256") != identify_dataset(opened.dataset)["sha256"]:
        name = printable(str(trained.get("name")))
        print(
            f"Warning: the run has learned from another dataset ({name:.60}); where objects of val here were in train there, it "
            "knows them.",
            file=sys.stderr,
        )


def _score_untrained(labels: Sequence[str], candidate: Candidate, suite: Suite) -> dict[str, Results]:
    """The results of the same layers at random init in the tasks that are drawn by layer, where that baseline is asked for."""
    drawn = tuple(evaluator for evaluator in suite.able if evaluator.name in SHOWN)
    settings = suite.context.settings
    if RANDOM_INIT not in settings.baselines or candidate.find_untrained_layers is None or not drawn:
        return {}
    model, layered = candidate.find_untrained_layers(labels)
    contexts = open_layers(layered, model, suite.dataset, None, settings_of_baselines(settings))
    contexts.pop("")
    return dict(score_layers(contexts, replace(suite, evaluators=drawn), f"{candidate.name} at random init"))


def name_scored(evaluators: Sequence[Evaluator], with_layers: bool) -> list[str]:
    """What is scored anew, by the first words of its keys: earlier results of the same give way."""
    names = [evaluator.name for evaluator in evaluators]
    return [*names, *(f"{FOLDER}/{name}" for name in names if with_layers)]


def _folder_of(folder: Path, label: str) -> Path:
    """Where the results of a layer lie; those of the representation, whose label is empty, lie in the folder itself."""
    return folder / FOLDER / label if label else folder


def _write(results: Results, suite: Suite, folder: Path, turned: EvalDataset | None = None) -> Results:
    """Write results into a folder, joined with those of other tasks that are there, and the gallery."""
    names = name_scored(suite.evaluators, any(key.startswith(f"{FOLDER}/") for key in results.details))
    basis = describe_basis(suite.context.model, suite.dataset, suite.context.settings, suite.ood)
    with locked(folder / RESULTS, "eval", waits=True):  # another evaluation may have written meanwhile
        if (earlier := find_earlier(folder / RESULTS, basis, names)) is not None:
            results = join_results(earlier, results, names)
        results.write(folder / RESULTS)
        save_gallery(suite.context, suite.dataset, folder, turned)
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

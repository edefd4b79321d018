"""What is to be evaluated, whatever somebody gives: runs, methods, networks and functions, each as the evaluation sees it."""

import hashlib
import inspect
import io
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import cache
from operator import attrgetter
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from torch import Tensor, nn

from iebench.dataset.hub import is_hub
from iebench.errors import UsageError
from iebench.evals.model import Model, Represent
from iebench.evals.probes import seeded
from iebench.models.layer_scores import Layered
from iebench.models.layers import Layers, choose_layers
from iebench.models.method import Method
from iebench.models.network import DEFAULTS, Network, NetworkSettings
from iebench.models.networks import PLAIN, load_network, wrap_network
from iebench.models.preprocessing import named_preprocessing
from iebench.models.runs import find_run, load, read_config
from iebench.models.untrained import untrained_twin
from iebench.plugins import Trust
from iebench.untrusted import read_json, refusals

# What every module holds: weights and parts, which are told by themselves, hooks, and its mode.
_OF_EVERY_MODULE = frozenset(vars(nn.Module()))
# Libraries whose modules show in `repr` what they do.
_KNOWN = ("torch", "torchvision", "transformers", "timm", "iebench")
Evaluable = str | Path | Model | Method | nn.Module | Callable[[Tensor], Tensor]


@dataclass(frozen=True)
class Candidate:
    """What is to be evaluated.

    Attributes:
        name: what results call it.
        model: as the evaluation sees it.
        untrained: the same network at random init, where there is such a thing.
        find_layers: chosen layers of the network, where it has some.
        find_untrained_layers: the same of the network at random init, behind that as the evaluation sees it.
        method: name of its method, or of its backbone.
        training: settings of its training, as far as known.
    """

    name: str
    model: Model
    untrained: Represent | None = None
    find_layers: Callable[[Layers], Layered] | None = None
    method: str = "backbone"
    training: dict[str, Any] = field(default_factory=dict)
    find_untrained_layers: Callable[[Layers], tuple[Model, Layered]] | None = None


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
    model = find_run(model) if isinstance(model, str) and is_hub(model) else model
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
        if _is_of_transformers(Path(model)):
            raise UsageError(f"{model} is a folder of transformers: write hf:{model}.")
        return _prepare_run(Path(model), device, trust)
    if isinstance(model, Method):
        twin = _twin(lambda: _in_place(untrained_twin(model), device), attrgetter("represent"), _layers_of_method)
        layers = _layers_of_method(model)
        return Candidate(type(model).__name__, model_of_method(model, device), find_layers=layers, **twin)
    if isinstance(model, Network):
        return _prepare_network(model, device, model.name)
    if isinstance(model, Model):
        return Candidate("representation", model)
    if isinstance(model, type) or not callable(model):
        raise UsageError(
            f"{model!r} cannot be evaluated: give a run, a network (not its class), or a function of images."
        )
    return Candidate(getattr(model, "__name__", "representation"), Model(model))


def _is_of_transformers(folder: Path) -> bool:
    """Whether a folder is what `save_pretrained` wrote: its config names a model's type, as that of a run does not."""
    if not (folder / "model.safetensors").is_file() or not (folder / "config.json").is_file():
        return False
    with refusals(folder / "config.json", "fetch it again"):
        return "model_type" in read_json(folder / "config.json")


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
    """SHA-256 of a network: its structure, the code of its classes, all its parameters and buffers, and what else it holds."""
    digest = hashlib.sha256(repr(network).encode())
    for code in sorted({_code_of(kind) for kind in {type(module) for module in network.modules()}}):
        digest.update(code.encode())
    for name, value in (*network.state_dict().items(), *_attributes(network)):
        if isinstance(value, Tensor):
            digest.update(f"{name} {value.dtype} {tuple(value.shape)}".encode())
            digest.update(_bytes_of(value.detach().cpu()))
        else:
            digest.update(f"{name} {value}".encode())
    return digest.hexdigest()


def _bytes_of(value: Tensor) -> Any:
    """The content of a tensor; of a sparse one, which has no bytes of its own, as it would be saved."""
    if value.layout == torch.strided:
        return value.resolve_conj().resolve_neg().contiguous().flatten().view(torch.uint8).numpy().data
    torch.save(value, saved := io.BytesIO())
    return saved.getbuffer()


def _code_of(kind: Any) -> str:
    """The source of a class of modules or of a function, where Python finds it; torch's own are known by their names."""
    if (kind.__module__ or "").startswith("torch."):
        return kind.__qualname__
    try:
        return inspect.getsource(kind)
    except (OSError, TypeError):
        return kind.__qualname__


def _attributes(network: nn.Module) -> Iterator[tuple[str, Tensor | str]]:
    """What modules of somebody's own classes hold beside weights, by which the same code and weights compute something else."""
    for path, module in network.named_modules():
        if type(module).__module__.partition(".")[0] in _KNOWN:
            continue
        for name, value in sorted({**vars(module), **module._buffers}.items()):
            if isinstance(value, Tensor):
                yield f"{path} {name}", value
            elif isinstance(value, ndarray) and not value.dtype.hasobject:
                yield f"{path} {name}", f"{value.dtype} {value.shape} {hashlib.sha256(value.tobytes()).hexdigest()}"
            elif inspect.isroutine(value):
                yield f"{path} {name}", _code_of(value)
            elif _is_plain_value(value) and name not in _OF_EVERY_MODULE:
                yield f"{path} {name}", repr(value)


def _is_plain_value(value: Any) -> bool:
    if isinstance(value, dict):
        return all(map(_is_plain_value, (*value.keys(), *value.values())))
    if isinstance(value, tuple | list):
        return all(map(_is_plain_value, value))
    return value is None or isinstance(value, bool | int | float | str | np.generic | torch.dtype)


def _prepare_run(run: Path, device: str, trust: Trust) -> Candidate:
    config = read_config(run, trust)
    trained = load(run, trust)

    def make_untrained() -> Method:
        fresh = seeded(config.build_method)
        fresh.take_over(trained)
        return _in_place(fresh, device)

    model, layers = model_of_method(trained, device), _layers_of_method(trained)
    twin = _twin(make_untrained, attrgetter("represent"), _layers_of_method)
    return Candidate(run.name, model, find_layers=layers, method=config.method, training=config.to_json(), **twin)


def _prepare_network(network: Network, device: str, method: str = "backbone") -> Candidate:
    """A network in eval mode on its device; only what is not as for a plain one stands in its method and training."""
    model = Model(_in_place(network, device).__call__, key=_key_of(network))
    twin = _twin(lambda: _in_place(network.untrained(), device), attrgetter("__call__"), _layers_of_network)
    layers = _layers_of_network(network)
    if _is_plain(network):
        return Candidate(network.name, model, find_layers=layers, method=method, **twin)
    method, training = ", ".join([network.name, *network.settings_told()]), {"network": network.describe()}
    return Candidate(network.name, model, find_layers=layers, method=method, training=training, **twin)


def _layers_of_network(network: Network) -> Callable[[Layers], Layered]:
    channels_last = getattr(network.body, "channels_last", False)
    return lambda layers: Layered(choose_layers(network.body, layers), network.pool, channels_last)


def _layers_of_method(method: Method) -> Callable[[Layers], Layered]:
    return lambda layers: Layered(choose_layers(method.backbone, layers))


def _is_plain(network: Network) -> bool:
    """Whether a network is fed as our own are, and gives its vectors by itself."""
    return network.settings_told() == [] and repr(network.preprocessing) == repr(named_preprocessing(PLAIN))


def _key_of(network: Network) -> str:
    return hash_weights(network.body if _is_plain(network) else network)


def _in_place(network: Any, device: str) -> Any:
    """A network in eval mode on a device."""
    return network.to(device).eval()


def _twin(
    make: Callable[[], Any],
    represent: Callable[[Any], Represent],
    layers_of: Callable[[Any], Callable[[Layers], Layered]],
) -> dict[str, Any]:
    """What a candidate knows of the same network at random init, which is made when it is first asked for."""
    made = cache(make)

    def find_layers(layers: Layers) -> tuple[Model, Layered]:
        return Model(represent(made()), key=hash_weights(made())), layers_of(made())(layers)

    return {"untrained": lambda images: represent(made())(images), "find_untrained_layers": find_layers}

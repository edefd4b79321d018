"""The front door: any network by a text, `hf:…`, `timm:…`, one of ours, or `package.module:function`."""

from copy import deepcopy
from pathlib import Path

from torch import nn

from iebench.errors import UsageError
from iebench.evals.probes import seeded
from iebench.models import network_hf, network_timm
from iebench.models.backbones import RESNETS, build_backbone
from iebench.models.network import DEFAULTS, Network, NetworkSettings, find_type
from iebench.models.pooling import AUTO
from iebench.models.preprocessing import MODEL, named_preprocessing
from iebench.models.weights import load_backbone
from iebench.plugins import Trust, is_dotted

PLAIN = "3diebench"  # how images of the benchmark are normalised for a network that does not tell
FORMS = "hf:OWNER/NAME, hf:./FOLDER, timm:NAME, package.module:function"


def load_network(
    text: str,
    *,
    pool: str = AUTO,
    dtype: str = "float32",
    normalise: str = MODEL,
    weights: str | Path | None = None,
    trust: Trust = False,
) -> Network:
    """A network by a text, ready to be scored: uint8 images (batch, 3, height, width) → representations (batch, width).

    Args:
        text: "hf:OWNER/NAME" with "@REVISION" or "hf:./FOLDER" for transformers, "timm:NAME", "package.module:function" that
            makes a network, or the name of a backbone of ours, such as "resnet18".
        pool: how one vector is made of tokens or a map: "auto", "cls", "mean", "cls+mean" or "map".
        dtype: in which the network computes: "float32", "bfloat16" or "float16".
        normalise: "model" for how the network's own processor prepares images, which for one of "package.module:function" is as
            3DIEBench's are; or "3diebench", "imagenet", "unit" (to [0, 1]), "none" (uint8).
        weights: file of weights for a network of "package.module:function" or ours.
        trust: whether to run code that comes with a model of the hub; True, or a collection with `text` in it.

    Raises:
        UsageError: there is no such network, or it cannot be pooled so.
        IebenchError: it cannot be fetched, or is damaged.
    """
    settings = NetworkSettings(pool, dtype, normalise)
    if not text.startswith((network_hf.PREFIX, network_timm.PREFIX)):
        return _load_named(text, weights, settings)
    if weights is not None:
        raise UsageError(f"{text} brings its own weights: leave --weights out.")
    if text.startswith(network_timm.PREFIX):
        return network_timm.load_timm(text.removeprefix(network_timm.PREFIX), settings)
    return network_hf.load_hf(text.removeprefix(network_hf.PREFIX), settings, is_trusted(text, trust))


def wrap_network(body: nn.Module, name: str, settings: NetworkSettings = DEFAULTS) -> Network:
    """A module of somebody behind a normalisation, that of 3DIEBench's images unless told."""
    wanted, normalise = find_type(settings.dtype), PLAIN if settings.normalise == MODEL else settings.normalise
    values = (*body.parameters(), *body.buffers())
    if any(value.is_floating_point() and value.dtype != wanted for value in values):
        body = deepcopy(body)  # which is cast, while somebody's own stays as it is
    return Network(name, body, named_preprocessing(normalise), settings.pool, settings.dtype)


def is_trusted(text: str, trust: Trust) -> bool:
    """Whether the user trusts the code that comes with a model."""
    return trust is True or trust == text or (not isinstance(trust, bool | str) and text in trust)


def _load_named(name: str, weights: str | Path | None, settings: NetworkSettings) -> Network:
    if name not in RESNETS and not is_dotted(name):
        raise UsageError(
            f"{name} is neither a run nor one of {', '.join(RESNETS)}: name your own network as {FORMS.replace(', p', ' or p')}."
        )
    body = seeded(lambda: build_backbone(name, option="--model"))
    # Somebody's function may load weights by itself, so that calling it once more would give no untrained network.
    fresh = deepcopy(body) if name in RESNETS else None
    if weights is not None:
        load_backbone(body, Path(weights), "--model")
    network = wrap_network(body, name, settings)
    if fresh is not None:
        network.make_untrained = lambda: fresh
    return network

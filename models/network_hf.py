"""Networks of the Hugging Face hub, or saved as it keeps them, through transformers: `hf:OWNER/NAME[@REVISION]`, `hf:FOLDER`.

Their own code, where they bring some, is not run unless it is trusted.
"""

import inspect
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.request import getproxies

from numpy import ndarray
from torch import Tensor, nn

from iebench.errors import IebenchError, UsageError, explain_missing_package
from iebench.evals.probes import seeded
from iebench.models.network import DEFAULTS, Network, NetworkSettings, find_type
from iebench.models.preprocessing import MODEL, Processor, named_preprocessing

PREFIX = "hf:"
_ENDPOINT = "huggingface.co"
_PLAIN_SIDE = 224


class _Body(nn.Module):
    """A model of transformers, called with the name of its input."""

    def __init__(self, model: nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Mapping[str, Any]:
        return self.model(pixel_values=pixels, return_dict=True)


def load_hf(place: str, settings: NetworkSettings = DEFAULTS, trust: bool = False) -> Network:
    """A network that transformers can load, with the image processor that was saved beside it.

    Args:
        place: OWNER/NAME of the hub, with @REVISION where that matters, or a folder, for which no network is needed.
        settings: pooling, type, and a normalisation by its name instead of the model's own processor.
        trust: whether to run code that comes with the model.

    Raises:
        UsageError: there is no such model, it is not one of images, or it brings code that is not trusted.
        IebenchError: it cannot be fetched, or is damaged.
    """
    source, _, revision = place.partition("@")
    options: dict[str, Any] = {"trust_remote_code": trust} | ({"revision": revision} if revision else {})
    here, folder = {**options, "local_files_only": True}, Path(place).expanduser()
    if not place:
        raise UsageError(f"{PREFIX} names no model: write {PREFIX}OWNER/NAME, or {PREFIX}./FOLDER.")
    if not folder.is_dir() and place.startswith((".", "/", "~")):
        raise UsageError(f"{PREFIX}{place} is no folder: name one that holds config.json and model.safetensors.")
    with _told(place), _quiet():
        if folder.is_dir():
            return _load(str(folder), f"{PREFIX}{folder.resolve().name}", settings, here)
        try:
            return _load(source, f"{PREFIX}{place}", settings, here)
        except OSError:  # not all of it has been fetched before
            _check_network(place)
            return _load(source, f"{PREFIX}{place}", settings, options)


def _load(source: str, name: str, settings: NetworkSettings, options: Mapping[str, Any]) -> Network:
    from transformers import AutoConfig, AutoModel

    config = _vision_config(AutoConfig.from_pretrained(source, **options))
    model, found = AutoModel.from_pretrained(
        source, config=config, dtype=find_type(settings.dtype), output_loading_info=True, **options
    )
    _check_model(model, found, source)
    preprocessing = _preprocessing(source, config, settings.normalise, options)
    trusted = options["trust_remote_code"]

    def make_untrained() -> nn.Module:
        return _Body(seeded(lambda: AutoModel.from_config(config, trust_remote_code=trusted)))

    return Network(name, _Body(model), preprocessing, settings.pool, settings.dtype, make_untrained)


def _vision_config(config: Any) -> Any:
    """The part of a configuration that is of images, as CLIP's; masking of patches is for training."""
    from transformers import MODEL_MAPPING

    vision = getattr(config, "vision_config", None)
    config = vision if type(vision) in MODEL_MAPPING else config
    if hasattr(config, "mask_ratio"):  # ViTMAE would draw three quarters of the patches and leave them out
        config.mask_ratio = 0.0
    return config


def _check_model(model: Any, found: Mapping[str, Any], source: str) -> None:
    """Raise if a model is not one of images, or keeps fresh weights where its files have none.

    A pooler may lack: where there is a class token we take that.
    """
    takes = getattr(model, "main_input_name", "pixel_values")
    if takes != "pixel_values":
        raise UsageError(
            f"{PREFIX}{source} takes {takes} and not images: write a function that gives it what it wants."
        )
    if further := _further_inputs(model):  # NaFlex models want to know which patches there are
        raise UsageError(
            f"{PREFIX}{source} takes {further[0]} beside images: choose a model that takes images alone, or write a function "
            "that gives it what it wants."
        )
    lost = [*found.get("missing_keys", ()), *(key for key, *_ in found.get("mismatched_keys", ()))]
    lost = sorted(key for key in lost if "pooler" not in key)
    if lost:
        raise IebenchError(
            f"{PREFIX}{source} has no weights for {lost[0]} and {len(lost) - 1} more: fetch the whole model again."
        )


def _further_inputs(model: nn.Module) -> list[str]:
    """What a model cannot be called without, beside images."""
    told = inspect.signature(model.forward).parameters.values()
    needed = [
        one.name for one in told if one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD)
    ]
    return [name for name in needed if name != "pixel_values"]


def _preprocessing(source: str, config: Any, normalise: str, options: Mapping[str, Any]) -> nn.Module:
    if normalise != MODEL:
        side = getattr(config, "image_size", None)
        return named_preprocessing(normalise, side if isinstance(side, int) else _PLAIN_SIDE)
    from transformers import AutoImageProcessor

    try:
        # Pillow's is there on every machine, so that all of them compute the same.
        processor = AutoImageProcessor.from_pretrained(source, backend="pil", **options)
    except OSError as error:
        if not options.get("local_files_only") or not Path(source).is_dir():
            raise
        raise UsageError(
            f"{PREFIX}{source} has no preprocessor_config.json to say how its images are prepared: put that of the model beside "
            "it, or choose --normalise imagenet."
        ) from error

    def process(images: list[ndarray]) -> Tensor:
        return processor(images=images, return_tensors="pt")["pixel_values"]

    return Processor(process, processor.to_json_string())


def _check_network(place: str) -> None:
    """Raise IebenchError where the hub cannot be found, as transformers would try for half a minute."""
    if getproxies():
        return
    try:
        socket.getaddrinfo(_ENDPOINT, 443)
    except OSError:
        raise _unreachable(place) from None


def _unreachable(place: str) -> IebenchError:
    return IebenchError(
        f"{PREFIX}{place} has not been fetched before, and {_ENDPOINT} cannot be reached: save it where there is a network "
        f"(model and processor, each with save_pretrained), copy the folder here, and name that, as {PREFIX}./folder."
    )


@contextmanager
def _told(place: str) -> Iterator[None]:
    """Errors of transformers in one sentence with the mend."""
    try:
        yield
    except IebenchError:
        raise
    except ModuleNotFoundError as error:
        raise IebenchError(explain_missing_package(error) or str(error)) from error
    except Exception as error:  # it has no class of its own for what does not fit or is damaged
        text = str(error)
        if "trust_remote_code" in text or "custom code" in text:
            raise UsageError(
                f"{PREFIX}{place} brings code of its own, which would be imported and run: where you trust it, give --trust "
                "(in Python trust=True)."
            ) from error
        if "couldn't connect" in text:
            raise _unreachable(place) from error
        raise _unreadable(place, text) from error


def _unreadable(place: str, text: str) -> IebenchError:
    first = text.strip().partition("\n")[0].rstrip(".")
    return IebenchError(
        f"{PREFIX}{place} cannot be read by transformers ({first}): correct the name, or fetch it again."
    )


@contextmanager
def _quiet() -> Iterator[None]:
    """Transformers without its bars and its report of weights, which `_check_model` reads."""
    try:
        from transformers.utils import logging
    except ModuleNotFoundError:
        yield  # the import is told where it matters
        return
    verbosity, bars = logging.get_verbosity(), logging.is_progress_bar_enabled()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        logging.set_verbosity(verbosity)
        if bars:
            logging.enable_progress_bar()

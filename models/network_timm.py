"""Networks of timm by their names there: `timm:vit_base_patch14_dinov2.lvd142m`."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from numpy import ndarray
from PIL import Image
from torch import Tensor, nn

from iebench.errors import IebenchError, UsageError, explain_missing_package, suggest
from iebench.evals.probes import seeded
from iebench.models.network import DEFAULTS, Network, NetworkSettings
from iebench.models.preprocessing import MODEL, Processor, named_preprocessing

PREFIX = "timm:"


class _Body(nn.Module):
    """A model of timm without its classifier: its last state, and what it pools itself.

    Attributes:
        channels_last: whether its maps are (batch, rows, columns, width).
    """

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model = model
        self.channels_last = getattr(model, "output_fmt", "NCHW") == "NHWC"

    def forward(self, pixels: Tensor) -> dict[str, Tensor]:
        state = self.model.forward_features(pixels)
        own = self.model.forward_head(state, pre_logits=True)
        return {"last_hidden_state": state.permute(0, 3, 1, 2) if self.channels_last else state, "pooler_output": own}


def load_timm(name: str, settings: NetworkSettings = DEFAULTS) -> Network:
    """A pretrained network of timm, with the data configuration of its weights.

    Args:
        name: as `timm.list_models` has it, with the tag of its weights behind a dot.
        settings: pooling, type, and a normalisation by its name instead of the model's own configuration.

    Raises:
        UsageError: timm has no such model.
        IebenchError: timm cannot be imported, or the weights cannot be fetched.
    """
    timm = _import_timm()
    if ":" not in name and not timm.is_model(name):
        hint = suggest(name, timm.list_models(), "find its name by timm.list_models('*dinov2*').")
        raise UsageError(f"{PREFIX}{name} is no model of timm: {hint}")
    try:
        model = timm.create_model(name, pretrained=True, num_classes=0)
    except (OSError, RuntimeError, ValueError) as error:
        first = str(error).strip().partition("\n")[0].rstrip(".")
        raise IebenchError(
            f"{PREFIX}{name} cannot be loaded by timm ({first}): correct the tag of its weights, or call this once where there "
            "is a network, and copy its cache."
        ) from error
    config = timm.data.resolve_model_data_config(model)
    preprocessing = _preprocessing(config, timm.data.create_transform, settings.normalise)

    def make_untrained() -> nn.Module:
        return _Body(seeded(lambda: timm.create_model(name, pretrained=False, num_classes=0)))

    return Network(f"{PREFIX}{name}", _Body(model), preprocessing, settings.pool, settings.dtype, make_untrained)


def _import_timm() -> Any:
    try:
        import timm
        import timm.data
    except ModuleNotFoundError as error:
        raise IebenchError(explain_missing_package(error) or str(error)) from error
    return timm


def _preprocessing(config: Mapping[str, Any], create_transform: Any, normalise: str) -> nn.Module:
    side = config["input_size"][1]
    if normalise != MODEL:
        return named_preprocessing(normalise, side)
    transform = create_transform(**config, is_training=False)

    def process(images: list[ndarray]) -> Tensor:
        return torch.stack([transform(Image.fromarray(np.ascontiguousarray(image))) for image in images])

    return Processor(process, str(dict(config)))

"""What is evaluated, and how its scores are taken."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from iebench.evals.features import Represent
from iebench.evals.retrieval import Predict
from iebench.evals.training import ProbeSettings

BASELINES = ("constant", "oracle", "random weights")


@dataclass(frozen=True)
class EvalSettings:
    """How the scores are taken.

    Attributes:
        seeds: of the probes.
        probes: how they are trained.
        draws: of the bootstrap over objects; 0 for none.
        embeddings: probe the embeddings too.
        baselines: out of `BASELINES`, set beside every score.
        dtype: in which representations are kept, "float32" or "float16".
        device: where everything runs.
        cache: folder in which representations are kept; in memory when absent.
    """

    seeds: tuple[int, ...] = (0,)
    probes: ProbeSettings = field(default_factory=ProbeSettings)
    draws: int = 200
    embeddings: bool = False
    baselines: tuple[str, ...] = BASELINES
    dtype: str = "float32"
    device: str = "cpu"
    cache: Path | None = None

    def protocol(self) -> dict[str, Any]:
        """What could change a score, as plain values."""
        return {
            "seeds": list(self.seeds),
            "probes": asdict(self.probes),
            "bootstrap_draws": self.draws,
            "dtype": self.dtype,
            "backbone": "frozen, eval mode, one pass",
            "relative_rotation": "R(source)⁻¹ R(target), quaternion (x, y, z, w), sign as scipy composes it",
            "retrieval": "cosine, every view from the object's view 0, ties in random order",
        }


@dataclass(frozen=True)
class Subject:
    """What is evaluated.

    Attributes:
        represent: uint8 images (batch, 3, height, width) → representations (batch, width).
        embed: representations → embeddings.
        predict: (embeddings, transforms) → predictions of the embeddings' last columns.
        parts: slices of the representation, such as {"invariant": …, "equivariant": …}.
        transform: that the predictor takes.
        key: hash of the weights, by which representations are cached; not cached between calls when empty.
    """

    represent: Represent
    embed: Represent | None = None
    predict: Predict | None = None
    parts: Mapping[str, slice] = field(default_factory=dict)
    transform: str = "rotation"
    key: str = ""

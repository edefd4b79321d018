"""How scores are taken: seeds, probes, intervals, baselines."""

from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from iebench.errors import UsageError, suggest, whole_number

CONSTANT, GROUND_TRUTH, RANDOM_INIT = "constant", "ground-truth latents", "random init"
# The backbone always sees blocks of this many images, counted from the first view of a split: so neither the loader's
# batch size, nor its workers, nor an interruption can change a bit of what is written.
BLOCK = 256
BASELINES = (CONSTANT, GROUND_TRUTH, RANDOM_INIT)


def choose_baselines(text: str) -> tuple[str, ...]:
    """The baselines of a text: "all", "none", or names with commas between, which `EvalSettings` checks."""
    return {"all": BASELINES, "none": ()}.get(text, tuple(name.strip() for name in text.split(",")))


@dataclass(frozen=True)
class ProbeSettings:
    """How probes are trained; the defaults are the published protocol.

    An epoch takes every training object once, with views drawn anew.

    Attributes:
        epochs, batch_size, lr, warmup_epochs: as named.
        final_lr: share of the rate that the cosine ends at.
        pairs_per_object: validation pairs of each object, fixed for all seeds.
    """

    epochs: int = 300
    batch_size: int = 256
    lr: float = 1e-3
    warmup_epochs: int = 10
    final_lr: float = 1e-3
    pairs_per_object: int = 5

    def __post_init__(self) -> None:
        for name in ("epochs", "batch_size", "pairs_per_object"):
            object.__setattr__(self, name, whole_number(getattr(self, name), name, 1))


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
        batch_size: images that the network sees at a time.
        cache: folder in which representations are kept; in memory when absent.
    """

    seeds: tuple[int, ...] = (0,)
    probes: ProbeSettings = field(default_factory=ProbeSettings)
    draws: int = 200
    embeddings: bool = False
    baselines: tuple[str, ...] = BASELINES
    dtype: str = "float32"
    device: str = "cpu"
    batch_size: int = BLOCK
    cache: Path | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "batch_size", whole_number(self.batch_size, "batch_size", 1))
        if not self.seeds:
            raise UsageError("There is no seed to take scores with: give one or more.")
        for name in self.baselines:
            if name not in BASELINES:
                hint = suggest(name, BASELINES, f"choose among {', '.join(BASELINES)}, all or none.")
                raise UsageError(f"--baselines has no {name!r}: {hint}")

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
            **({} if self.batch_size == BLOCK else {"batch_size": self.batch_size}),
        }

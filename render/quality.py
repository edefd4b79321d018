"""Render qualities: how much work Cycles and the denoiser put into a view."""

from dataclasses import asdict, dataclass
from typing import Any

from iebench.errors import UsageError

DEFAULT = "trained"
OPTIONAL = ("network", "most_samples")  # fields that cards of qualities without them do not hold
NETWORK = "denoiser-88b57da0968c.tza"  # trained by benchmarks/studies/denoiser.py


@dataclass(frozen=True)
class Quality:
    """Settings of Cycles and Open Image Denoise.

    Attributes:
        samples: per pixel, at most where there is an adaptive threshold, at least where there are `most_samples`.
        adaptive_threshold: noise at which a pixel gets no more samples; 0 gives every pixel all of them.
        denoise: whether Open Image Denoise runs at all.
        passes: what the denoiser sees beside the picture: "RGB", "RGB_ALBEDO" or "RGB_ALBEDO_NORMAL".
        prefilter: how these are cleaned first: "NONE", "FAST" or "ACCURATE".
        denoiser_quality: "HIGH", "BALANCED" or "FAST".
        most_samples: per pixel, of objects whose pilots have much noise (`iebench.render.pilots`); 0 for the same of all.
        network: the denoiser's own, a file in iebench/data; None for those of Open Image Denoise.
    """

    name: str
    samples: int
    adaptive_threshold: float
    denoise: bool = True
    passes: str = "RGB_ALBEDO_NORMAL"
    prefilter: str = "ACCURATE"
    denoiser_quality: str = "HIGH"
    most_samples: int = 0
    network: str | None = None

    def to_json(self) -> dict[str, Any]:
        """Plain values of the fields; without the newer ones where they say nothing, so that datasets of before them go on."""
        return {name: value for name, value in asdict(self).items() if name not in OPTIONAL or value}


QUALITIES: dict[str, Quality] = {
    quality.name: quality
    for quality in (
        Quality("fast", 6, adaptive_threshold=0.0, passes="RGB_ALBEDO", prefilter="FAST", denoiser_quality="BALANCED"),
        Quality("reference", samples=100, adaptive_threshold=0.01),
        Quality(
            "trained",
            2,
            adaptive_threshold=0.0,
            prefilter="FAST",
            denoiser_quality="FAST",
            most_samples=16,
            network=NETWORK,
        ),
        Quality("preview", samples=2, adaptive_threshold=0.0, prefilter="FAST", denoiser_quality="FAST"),
    )
}


def get_quality(name: str) -> Quality:
    """A quality by name.

    Raises:
        UsageError: there is none of that name.
    """
    if name not in QUALITIES:
        raise UsageError(f"There is no quality {name!r}: choose one of {', '.join(QUALITIES)}.")
    return QUALITIES[name]


def quality_from_json(value: dict[str, Any]) -> Quality:
    """A quality from the plain values of its fields."""
    return Quality(**value)

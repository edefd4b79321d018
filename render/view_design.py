"""How the views of a render are laid out: what of `--latents`, `--sweep`, `--design` and `--trajectory` is asked for."""

from pathlib import Path

from iebench.errors import UsageError
from iebench.factors.designs import Design
from iebench.factors.parse_design import parse_crossed, parse_trajectory, read_crossed
from iebench.factors.space import FactorSpace
from iebench.render.request import RenderRequest

_WAYS = ("sweep", "design", "trajectory")  # of which a render takes one


def check_layout(request: RenderRequest) -> None:
    """Refuse options that would have no say beside others.

    Raises:
        UsageError: they do not go together.
    """
    for name in ("seed", *_WAYS) if request.latents else ():
        if (value := getattr(request, name)) is not None:
            raise UsageError(
                f"--{name} {value} has no say where --latents gives the latents: leave one of the two out."
            )
    ways = [f"--{name} {getattr(request, name)}" for name in _WAYS if getattr(request, name) is not None]
    if len(ways) > 1:
        raise UsageError(f"{ways[0]} and {ways[1]} both lay out the views: leave one of the two out.")
    for name in ("vary", "hold"):
        if (value := getattr(request, name)) is not None and request.design != "crossed":
            raise UsageError(f"--{name} {value} has a say beside --design crossed alone: add that, or leave it out.")
    if request.design is not None and request.views is not None:
        raise UsageError(f"--views {request.views} has no say beside --design {request.design}, a grid: leave it out.")


def find_design(request: RenderRequest, space: FactorSpace) -> Design | None:
    """The design that is asked for; None for independent draws, a sweep, or given latents.

    Raises:
        UsageError: it cannot be.
    """
    if request.trajectory is not None:
        return parse_trajectory(request.trajectory, request.views, space)
    if request.design is None:
        return None
    if request.design.endswith(".toml"):
        return read_crossed(Path(request.design), space, request.seed or 0)
    if request.design != "crossed":
        raise UsageError(f"There is no --design {request.design!r}: take crossed, or a TOML file whose name ends so.")
    if request.vary is None or request.hold is None:
        raise UsageError(
            "--design crossed needs --vary and --hold, such as --vary rotation --hold light_hue,floor_hue."
        )
    return parse_crossed(request.vary, request.hold, space, request.seed or 0)

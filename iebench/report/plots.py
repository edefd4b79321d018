"""The report's plots, as SVG that takes the colour of the page's text and so works in the dark."""

import io
import re
import warnings
from collections.abc import Mapping, Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import matplotlib

matplotlib.use("svg")

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.ticker import PercentFormatter
from scipy.optimize import isotonic_regression

from iebench.evals.columns import Cell
from iebench.files import write_whole

INK = "#010203"  # stands for the colour of the page's text until the SVG is written
LABEL_STEP = 14  # points between labels that stand below each other
LEGEND_ROW = 0.2  # inches
# Okabe and Ito's colours for all kinds of sight, without black and the yellow that is lost on white.
COLORS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#8c6bb1", "#7f7f7f")
MARKERS = ("o", "s", "^", "D", "v", "P", "X", "*")
LEADER = {
    "arrowstyle": "-",
    "alpha": 0.4,
    "lw": 0.7,
    "shrinkA": 1,
    "shrinkB": 4,
    "relpos": (0, 0.5),
}  # from a label to its point
STYLE: dict[Any, Any] = {
    "svg.fonttype": "none",
    "text.parse_math": False,  # names are of others, and a "$" in one is a "$"
    "font.family": "sans-serif",
    "font.size": 11,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": INK,
    "grid.alpha": 0.15,
    "legend.frameon": False,
    "lines.linewidth": 1.6,
    "lines.markersize": 5,
}


@dataclass(frozen=True)
class Picture:
    """One plot of the page.

    Attributes:
        name: unlike that of all others on the page.
        svg: its markup.
        caption: what it shows, in words, also its alternative text.
    """

    name: str
    svg: str
    caption: str

    def write(self, folder: Path) -> None:
        """Write it as NAME.svg, a file of its own that follows the reader's choice of light and dark."""
        style = "<style>svg{color:#1f2328}@media(prefers-color-scheme:dark){svg{color:#d1d7e0}}</style>"
        head, rest = self.svg.split(">", 1)
        write_whole(folder / f"{self.name}.svg", f"{head}>{style}{rest}")


@dataclass(frozen=True)
class Curve:
    """A named line.

    Attributes:
        name: for the legend, where curves of one name stand once.
        points: in order of x.
        style: number of its colour and marker, the same for runs that differ in their seed alone, in all plots.
        dashed: whether the line is.
        kind: what lines like this one, dashed or not, tell in all colours; for the legend too.
    """

    name: str
    points: Sequence[tuple[float, float]]
    style: int = 0
    dashed: bool = False
    kind: str = ""

    @property
    def line(self) -> Literal["-", "--"]:
        """How matplotlib is told of it."""
        return "--" if self.dashed else "-"


def choose_mark(style: int) -> tuple[str, str]:
    """Colour and marker of a series: each colour once, and then again with other markers."""
    return COLORS[style % len(COLORS)], MARKERS[(style + style // len(COLORS)) % len(MARKERS)]


def plot_curves(name: str, curves: Sequence[Curve], x: str, y: str, caption: str) -> Picture:
    """Lines over a common axis."""
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        legend = _legend_of(curves)
        figure, axes = _start(6.4, 3.4 + _legend_height(legend))
        for curve in curves:
            color, marker = choose_mark(curve.style)
            every = max(1, len(curve.points) // 12)
            axes.plot(*zip(*curve.points, strict=True), curve.line, color=color, marker=marker, markevery=every)
        axes.set(xlabel=x, ylabel=y)
        _add_legend(axes, legend)
        return Picture(name, _finish(figure, name, caption), caption)


def _legend_of(curves: Sequence[Curve]) -> list[Line2D]:
    """A line for each name, and one without colour for each kind."""
    named, kinds, lines = dict[str, Curve](), dict[str, Curve](), list[Line2D]()
    for curve in curves:
        named.setdefault(curve.name, curve)
        kinds.setdefault(curve.kind, curve)
    for name, curve in named.items():
        color, marker = choose_mark(curve.style)
        line = "-" if curve.kind else curve.line
        lines.append(Line2D([], [], color=color, marker=marker, linestyle=line, label=name))
    told = sorted((curve for kind, curve in kinds.items() if kind), key=lambda curve: curve.dashed)
    return lines + [Line2D([], [], color=INK, linestyle=curve.line, label=curve.kind) for curve in told]


@dataclass(frozen=True)
class Point:
    """A row in the plane.

    Attributes:
        name: for its label.
        x, y: its scores, drawn with their standard deviation or interval where they have one.
        is_reference: a baseline, drawn as a cross.
    """

    name: str
    x: Cell
    y: Cell
    is_reference: bool = False


def plot_points(name: str, points: Sequence[Point], x: str, y: str, caption: str) -> Picture:
    """Points in the plane, their labels one below the other at the right, each joined to its point; x is a share, in percent."""
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure, axes = _start(6.4, max(4.2, 0.2 * len(points) + 0.6))
        colors = []
        for number, point in enumerate(points):
            color, marker = (INK, "x") if point.is_reference else choose_mark(number)
            axes.errorbar(
                point.x.value,
                point.y.value,
                xerr=_reach(point.x),
                yerr=_reach(point.y),
                color=color,
                marker=marker,
                ls="",
                capsize=2.5,
                elinewidth=1,
            )
            colors.append(color)
        axes.set(xlabel=f"{x}, %", ylabel=y)
        axes.xaxis.set_major_formatter(PercentFormatter(1, symbol=""))
        _label_beside(axes, points, colors, LABEL_STEP / (figure.get_figheight() * 72 * 0.85))
        return Picture(name, _finish(figure, name, caption), caption)


def _reach(cell: Cell) -> list[list[float]] | None:
    """How far a score's bar reaches below and above it."""
    if cell.std is not None:
        return [[cell.std], [cell.std]]
    if cell.low is None or cell.high is None:
        return None
    return [[max(cell.value - cell.low, 0)], [max(cell.high - cell.value, 0)]]


def _label_beside(axes: Axes, points: Sequence[Point], colors: Sequence[str], step: float) -> None:
    """Labels right of the axes, a step apart, as high as their points as far as they find room."""
    low, high = axes.get_ylim()
    wanted = [(point.y.value - low) / (high - low) for point in points]
    for number, height in _spread(wanted, step).items():
        point = points[number]
        axes.annotate(
            point.name,
            (point.x.value, point.y.value),
            xytext=(1.03, height),
            textcoords="axes fraction",
            va="center",
            fontsize=10,
            color=colors[number],
            arrowprops={**LEADER, "color": colors[number]},
            annotation_clip=False,
        )


def _spread(wanted: Sequence[float], step: float) -> dict[int, float]:
    """Heights from 0 on in the order of the wanted ones, at least a step apart, and nearest to them in the sum of squares."""
    order = np.argsort(wanted, kind="stable")
    apart = step * np.arange(len(order))
    heights = np.maximum(isotonic_regression(np.asarray(wanted)[order] - apart).x, 0) + apart
    return dict(zip(order.tolist(), heights.tolist(), strict=True))


def plot_classes(
    name: str, runs: Mapping[str, Mapping[str, float]], styles: Mapping[str, int], x: str, caption: str
) -> Picture:
    """One row for each class, in the order of the first run's values, and a mark for each run, of its style as in `Curve`."""
    first = next(iter(runs.values()))
    classes = sorted(first, key=lambda entry: first[entry])
    with matplotlib.rc_context({**STYLE, "svg.hashsalt": name}):
        figure, axes = _start(6.4, 1.2 + 0.22 * len(classes) + _legend_height(runs))
        for run, values in runs.items():
            color, marker = choose_mark(styles[run])
            found = [values.get(entry, float("nan")) for entry in classes]
            axes.plot(found, range(len(classes)), marker, color=color, label=run)
            if len(runs) == 1:
                axes.hlines(range(len(classes)), 0, found, color=color, alpha=0.4, lw=4)
        axes.set(yticks=range(len(classes)), xlabel=x, ylim=(-0.7, len(classes) - 0.3))
        axes.set_yticklabels(classes, fontsize=9.5)
        _add_legend(axes)
        return Picture(name, _finish(figure, name, caption), caption)


def _add_legend(axes: Axes, handles: Sequence[Line2D] | None = None) -> None:
    """Above the plot, as beside it there is no room on a phone."""
    axes.legend(handles=handles, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, fontsize=10, borderaxespad=0.2)


def _legend_height(entries: Sized) -> float:
    """In inches, of two columns."""
    return LEGEND_ROW * ((len(entries) + 1) // 2)


def _start(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")
    figure.patch.set_alpha(0)
    axes = figure.subplots()
    axes.patch.set_alpha(0)
    return figure, axes


def _finish(figure: Figure, name: str, caption: str) -> str:
    """The SVG element alone, with names of its own, the page's colours, and words for those who do not see it."""
    text = io.StringIO()
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing")  # the browser has its own fonts
        warnings.filterwarnings("ignore", "constrained_layout not applied")  # names without end leave no room
        figure.savefig(text, format="svg", metadata={"Date": None, "Creator": None}, bbox_inches="tight")
    svg = text.getvalue()[text.getvalue().index("<svg") :]
    svg = re.sub(r"<metadata>.*?</metadata>", "", svg, flags=re.DOTALL)
    svg = re.sub(r'\bid="', f'id="{name}-', svg)
    svg = re.sub(r'(xlink:href="#|url\(#)', rf"\1{name}-", svg)
    svg = svg.replace(INK, "currentColor")
    size = re.search(r'width="([\d.]+)pt" height="([\d.]+)pt"', svg)
    assert size is not None
    width, height = (round(float(value) * 4 / 3) for value in size.groups())
    label = caption.replace("&", "&amp;").replace('"', "&quot;").replace("<", "&lt;")
    return svg.replace(size.group(0), f'width="{width}" height="{height}" role="img" aria-label="{label}"', 1)

"""The sections of a page: trade-off, training, and the figures that evaluators declare."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any

from iebench.evals.columns import Figure
from iebench.evals.table import Row
from iebench.report.evaluated_runs import EvaluatedRun, figures_of, read_metrics
from iebench.report.plots import Curve, Picture, Point, plot_classes, plot_curves, plot_points

TOP1, UNIFORM, POOLED = "top-1", "rotation R², uniform", "rotation R², pooled"
TRAINING_CURVES = (
    ("train/loss", "loss", "The loss over the steps of the training; losses of different methods do not compare."),
    (
        "val/class_whole",
        "top-1 of the online probe",
        "Top-1 of the online probe on held-out objects over the training.",
    ),
    (
        "val/rotation_r2",
        "rotation R², uniform",
        "Rotation R² (uniform) of the online probe on held-out objects over the training.",
    ),
)


@dataclass
class Section:
    """A head with plots and tables.

    Attributes:
        name: of the section in the page, by which links find it.
        head: its title.
        pictures: plots.
        matrices: shaded tables, one for each run and figure: caption, run, heads, lines of (row, kind, values).
        tables: plain tables: caption, heads, lines of (run, values).
    """

    name: str
    head: str
    pictures: list[Picture] = field(default_factory=list)
    matrices: list[dict[str, Any]] = field(default_factory=list)
    tables: list[dict[str, Any]] = field(default_factory=list)

    @property
    def is_small(self) -> bool:
        """Whether it may stand beside another."""
        return len(self.pictures) == 1 and not (self.matrices or self.tables)

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to show."""
        return not (self.pictures or self.matrices or self.tables)


def make_sections(runs: Sequence[EvaluatedRun]) -> list[Section]:
    """The training, and what the evaluators declare; sections without data are left out."""
    sections = [
        Section("training", "Training", _draw_training(runs)),
    ]
    figures = figures_of([run.results for run in runs])
    tall = {figure.section for figure in figures if figure.kind == "classes"}  # a row for each class: they come last
    for head in sorted(dict.fromkeys(figure.section for figure in figures), key=lambda head: head in tall):
        section = Section(re.sub(r"[^a-z]+", "-", head.lower()).strip("-"), head)
        for figure in figures:
            if figure.section == head:
                _add_figure(section, figure, runs)
        sections.append(section)
    return [section for section in sections if not section.is_empty]


def _add_figure(section: Section, figure: Figure, runs: Sequence[EvaluatedRun]) -> None:
    """Put a figure with the details of all runs that have it into its section."""
    found = {run.name: detail for run in runs if (detail := figure.find(run.results.details)) is not None}
    drawn = [run for run in runs if run.name in found]
    if not drawn:
        return
    name = figure.key.replace("/", "-").replace("_", "-")
    if figure.kind == "matrix":
        section.matrices += [_matrix(figure, run, matrix) for run, matrix in found.items()]
    elif figure.kind == "table":
        section.tables.append(_table(figure, found))
    elif figure.kind == "classes":
        styles = {run.series: run.style for run in drawn}
        section.pictures.append(plot_classes(name, _class_means(figure, drawn), styles, figure.x, figure.caption))
    else:
        is_told_by_line = _is_told_by_line(figure, found.values())
        curves = [curve for run in drawn for curve in _curves_of_run(figure, run, found[run.name], is_told_by_line)]
        section.pictures.append(plot_curves(name, curves, figure.x, figure.y, figure.caption))


def _is_told_by_line(figure: Figure, details: Iterable[Mapping[str, Any]]) -> bool:
    """Whether the curves of each run are so few kinds that a solid and a dashed line tell them apart."""
    kinds = {name for detail in details for name in detail} if figure.kind == "curves" else set()
    return len(kinds & set(figure.dashed)) <= 1 and len(kinds - set(figure.dashed)) <= 1


def _curves_of_run(
    figure: Figure, run: EvaluatedRun, detail: Mapping[str, Any], is_told_by_line: bool
) -> Iterator[Curve]:
    if figure.kind == "curve":
        yield Curve(run.series, _points(detail), run.style)
        return
    for name, values in detail.items():
        told = (run.series, name) if is_told_by_line else (f"{run.series}, {name}", "")
        yield Curve(told[0], _points(values), run.style, dashed=name in figure.dashed, kind=told[1])


def _points(values: Mapping[str, float]) -> list[tuple[float, float]]:
    return sorted((float(x), y) for x, y in values.items())


def _class_means(figure: Figure, runs: Sequence[EvaluatedRun]) -> dict[str, dict[str, float]]:
    """The values of classes for each series, the means over its runs."""
    found: dict[str, list[dict[str, float]]] = {}
    for run in runs:
        found.setdefault(run.series, []).append(_class_values(figure, run, figure.find(run.results.details)))
    return {
        series: {name: fmean(each[name] for each in several if name in each) for name in several[0]}
        for series, several in found.items()
    }


def _class_values(figure: Figure, run: EvaluatedRun, values: Mapping[str, float]) -> dict[str, float]:
    marked = run.results.symmetric_classes if figure.mark_symmetric else set()
    return {name + (" *" if name in marked else ""): value for name, value in values.items()}


def _table(figure: Figure, found: Mapping[str, Mapping[str, float]]) -> dict[str, Any]:
    heads = list(dict.fromkeys(name for values in found.values() for name in values))
    lines = [(run, [values.get(head) for head in heads]) for run, values in found.items()]
    return {"caption": figure.caption, "heads": heads, "lines": lines}


def _matrix(figure: Figure, run: str, matrix: Mapping[str, Mapping[str, Mapping[str, float]]]) -> dict[str, Any]:
    names = list(next(iter(matrix.values()), {}))
    kinds = list(dict.fromkeys(kind for row in matrix.values() for cell in row.values() for kind in cell))
    lines = [(row, kind, [cells[name][kind] for name in names]) for row, cells in matrix.items() for kind in kinds]
    return {"caption": figure.caption, "run": run, "heads": [n.replace("_", " ") for n in names], "lines": lines}


def _draw_training(runs: Sequence[EvaluatedRun]) -> list[Picture]:
    metrics = [(run, read_metrics(run.folder)) for run in runs]
    pictures = []
    for number, (column, label, caption) in enumerate(TRAINING_CURVES):
        curves = [Curve(run.series, table[column], run.style) for run, table in metrics if column in table]
        if curves:
            pictures.append(plot_curves(f"training{number}", curves, "step", label, caption))
    return pictures


def draw_tradeoff(rows: Sequence[Row]) -> list[Picture]:
    """The picture at the head of the page: what each row knows of the class and of the rotation."""
    points = _points_of(rows, UNIFORM, ("ours", "baseline"))
    if all(point.is_reference for point in points):
        return []
    caption = (
        "Top-1 accuracy against rotation R² (uniform) of the whole representation: the best corner is the upper right. Bars "
        "are standard deviations over runs, and 95 % intervals over objects where there is one run."
    )
    return [plot_points("tradeoff", points, "top-1 accuracy", UNIFORM, caption)]


def draw_published(rows: Sequence[Row]) -> list[Picture]:
    """The same of what papers report on 3DIEBench, on axes of its own for each kind of R²."""
    rows = [row for row in rows if row.protocol.startswith("3DIEBench,")]
    pictures = []
    for kind in (UNIFORM, POOLED):
        caption = (
            f"What papers report on 3DIEBench, {kind}. Data, images and training are others than above: compare shapes."
        )
        if points := _points_of(rows, kind, ("published",)):
            pictures.append(plot_points(f"published-{kind.split()[-1]}", points, "top-1 accuracy", kind, caption))
    return pictures


def _points_of(rows: Sequence[Row], y: str, kinds: Sequence[str]) -> list[Point]:
    return [
        Point(row.name, row.cells[TOP1], row.cells[y], row.kind == "baseline")
        for row in rows
        if row.kind in kinds and TOP1 in row.cells and y in row.cells
    ]

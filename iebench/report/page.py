"""One HTML page about evaluated runs: tables, plots and pictures in a single file that needs no network."""

import base64
import csv
import io
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import UInt8
from numpy import ndarray
from PIL import Image

from iebench.catalogue import CLASSES
from iebench.errors import IebenchError
from iebench.evals.results import Results, find_results
from iebench.evals.table import (
    ESTIMATE,
    ESTIMATED,
    Row,
    build_rows,
    estimate_pooled,
    label_of,
    published_rows,
    used_columns,
)
from iebench.factors.symmetry import known_turns
from iebench.version import __version__

THUMBNAIL = 96


@dataclass
class Entry:
    """One evaluated run.

    Attributes:
        name: by which the page calls it, unlike all others.
        results: its scores.
        folder: that holds its results, and perhaps its metrics and gallery.
    """

    name: str
    results: Results
    folder: Path


def write_report(
    paths: Sequence[Path],
    out: Path,
    title: str = "iebench report",
    published: bool = False,
    plots: Path | None = None,
) -> None:
    """Write the page.

    Args:
        paths: runs, or results.json files.
        out: the HTML file.
        title: head of the page.
        published: whether to set published rows into the table.
        plots: a folder for the page's plots as SVG files too.

    Raises:
        IebenchError: a run has no results, or Jinja2 or matplotlib is not installed.
    """
    entries = load_entries(paths)
    if plots is not None:
        plots.mkdir(parents=True, exist_ok=True)
    try:
        from jinja2 import Environment

        pictures = draw_pictures(entries)
    except ModuleNotFoundError as error:
        raise IebenchError(f"The report needs {error.name}: pip install 'iebench[report]'.") from None
    rows = build_rows([entry.results for entry in entries])
    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True)
    template = environment.from_string(files("iebench.report").joinpath("page.html.j2").read_text(encoding="utf-8"))
    page = template.render(
        title=title,
        version=__version__,
        entries=entries,
        table=make_table(rows + (published_rows() if published else []), estimate=published),
        estimate=ESTIMATE if published else "",
        pictures=pictures,
        factors=[(entry.name, matrix) for entry in entries if (matrix := factor_rows(entry.results))],
        laws=[(entry.name, laws) for entry in entries if (laws := group_laws(entry.results))],
        galleries=[(entry.name, gallery) for entry in entries if (gallery := show_gallery(entry.folder))],
        settings=[(entry.name, settings_of(entry.results)) for entry in entries],
    )
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(page, encoding="utf-8")
    if plots is not None:
        for picture in chain.from_iterable(pictures.values()):
            picture.write(plots)


def load_entries(paths: Sequence[Path]) -> list[Entry]:
    """The runs with their results, each under a name of its own."""
    entries: list[Entry] = []
    for path in paths:
        results = Results.read(path)
        name = label_of(results)
        if any(entry.name == name for entry in entries):
            name = f"{name}, {results.name}"
        if any(entry.name == name for entry in entries):
            name = f"{name}, {len(entries) + 1}"
        entries.append(Entry(name, results, find_results(path).parent))
    return entries


def make_table(rows: Sequence[Row], estimate: bool = False) -> dict[str, Any]:
    """Heads, and for each row its cells: text, title, number to sort by, whether it is the best of ours."""
    columns = used_columns(rows)
    best = {column.title: _best(rows, column.title, column.better) for column in columns}
    lines = []
    for row in rows:
        cells = []
        for column in columns:
            cell = row.cells.get(column.title)
            value = None if cell is None else cell.value
            is_best = row.kind == "ours" and value is not None and value == best[column.title]
            cells.append(
                {
                    "text": column.show(cell),
                    "title": column.show(cell, True),
                    "value": "" if value is None else value,
                    "best": is_best,
                }
            )
        lines.append({"name": row.name, "kind": row.kind, "cells": cells, "protocol": row.protocol})
        if estimate:
            text = estimate_pooled(row)
            cells.append({"text": text, "title": text, "value": text.removeprefix("≈ "), "best": False})
    heads = [column.title + (f", {column.unit}" if column.unit else "") for column in columns]
    return {"heads": heads + [ESTIMATED] * estimate, "rows": lines}


def _best(rows: Sequence[Row], title: str, better: str) -> float | None:
    values = [row.cells[title].value for row in rows if row.kind == "ours" and title in row.cells]
    if len(values) < 2:
        return None
    return max(values) if better == "up" else min(values)


def draw_pictures(entries: Sequence[Entry]) -> dict[str, list[Any]]:
    """All plots, by section; a section without data has none."""
    return {
        "training": _draw_training(entries),
        "tradeoff": _draw_tradeoff(entries),
        "angles": _draw_angles(entries),
        "classes": _draw_classes(entries),
    }


def read_metrics(folder: Path) -> dict[str, list[tuple[float, float]]]:
    """The columns of a run's `metrics.csv` as (step, value); cells that are empty or not finite are left out."""
    path = folder / "metrics.csv"
    if not path.is_file():
        return {}
    curves: dict[str, list[tuple[float, float]]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            for name, cell in row.items():
                if name != "step" and cell and math.isfinite(float(cell)):
                    curves.setdefault(name, []).append((float(row["step"]), float(cell)))
    return curves


TRAINING_CURVES = (
    ("train/loss", "loss", "The loss over the steps of the training; losses of different methods do not compare."),
    (
        "val/class_whole",
        "top-1 of the online probe",
        "Top-1 of the online probe on held-out objects over the training.",
    ),
    (
        "val/rotation_degrees",
        "median error, °",
        "Median error of the online rotation probe, in degrees, over the training.",
    ),
)


def _draw_training(entries: Sequence[Entry]) -> list[Any]:
    from iebench.report.plots import Curve, plot_curves

    metrics = {entry.name: read_metrics(entry.folder) for entry in entries}
    pictures = []
    for number, (column, label, caption) in enumerate(TRAINING_CURVES):
        tables = enumerate(metrics.items())
        curves = [Curve(name, table[column], style) for style, (name, table) in tables if column in table]
        if curves:
            pictures.append(plot_curves(f"training{number}", curves, "step", label, caption))
    return pictures


def _draw_tradeoff(entries: Sequence[Entry]) -> list[Any]:
    from iebench.report.plots import Point, plot_points

    x, y = "top-1", "rotation R², uniform"
    rows = build_rows([entry.results for entry in entries])
    points = [
        Point(row.name, row.cells[x].value, row.cells[y].value, row.cells[x].std, row.cells[y].std)
        for row in rows
        if row.kind == "ours" and x in row.cells and y in row.cells
    ]
    references = {
        row.name: (row.cells[x].value, row.cells[y].value)
        for row in rows
        if row.kind == "baseline" and x in row.cells and y in row.cells
    }
    if not points:
        return []
    caption = (
        "Top-1 accuracy against rotation R² (uniform) of the whole representation; the best corner is the upper right."
    )
    return [plot_points("tradeoff", points, "top-1 accuracy", "rotation R², uniform", caption, references)]


def _draw_angles(entries: Sequence[Entry]) -> list[Any]:
    from iebench.report.plots import Curve, plot_curves

    pictures = []
    key = "rotation/whole/degrees_by_angle"
    found = [Curve(e.name, _points(e.results.details.get(key)), style) for style, e in enumerate(entries)]
    probes = [curve for curve in found if curve.points]
    if probes:
        caption = "Mean error of the rotation probe by the angle between the two views."
        pictures.append(plot_curves("probe-angle", probes, "angle between the views, °", "error, °", caption))
    distances = []
    for style, entry in enumerate(entries):
        for kind, points in entry.results.details.get("predictor", {}).get("distance_by_angle", {}).items():
            distances.append(Curve(f"{entry.name}, {kind}", _points(points), style, dashed=kind == "unmoved"))
    if distances:
        caption = (
            "Distance (1 - cosine) from the target's embedding by the angle between the views: of the prediction, and of the "
            "source's embedding left unmoved."
        )
        pictures.append(plot_curves("predictor-angle", distances, "angle between the views, °", "distance", caption))
    return pictures


def _points(values: Mapping[str, float] | None) -> list[tuple[float, float]]:
    return sorted((float(angle), value) for angle, value in (values or {}).items())


def _draw_classes(entries: Sequence[Entry]) -> list[Any]:
    from iebench.report.plots import plot_classes

    pictures = []
    for key, label, caption in (
        ("classification/whole/top1_by_class", "top-1 accuracy", "Top-1 accuracy of each class."),
        (
            "rotation/whole/median_degrees_by_class",
            "median rotation error, °",
            "Median rotation error of each class; * marks classes whose built-in objects look the same after some turn.",
        ),
    ):
        runs = {e.name: _mark_symmetric(e.results.details[key], key) for e in entries if key in e.results.details}
        if runs:
            pictures.append(plot_classes(key.split("/")[-1].replace("_", "-"), runs, label, caption))
    return pictures


def _mark_symmetric(values: Mapping[str, float], key: str) -> dict[str, float]:
    if not key.startswith("rotation"):
        return dict(values)
    symmetric = {entry.name for entry in CLASSES if known_turns(entry.synset) != 1}
    return {name + (" *" if name in symmetric else ""): value for name, value in values.items()}


def factor_rows(results: Results) -> dict[str, Any] | None:
    """The factor matrix: heads, and for each part and kind of regression its cells."""
    matrix = results.details.get("factors")
    if not matrix:
        return None
    names = list(next(iter(matrix.values())))
    lines = [
        (part, kind, [values[name][kind] for name in names])
        for part, values in matrix.items()
        for kind in ("linear", "mlp")
    ]
    return {"factors": [name.replace("_", " ") for name in names], "lines": lines}


def group_laws(results: Results) -> dict[str, float] | None:
    """Distances that say how far the predictor is from a group's action."""
    return results.details.get("predictor", {}).get("group_laws")


def show_gallery(folder: Path) -> list[dict[str, Any]]:
    """The gallery's objects, with every picture as a data URI and its alternative text."""
    from iebench.evals.gallery import Gallery

    gallery = Gallery.load(folder)
    if gallery is None:
        return []
    objects = []
    for row, label in enumerate(gallery.labels):
        name = CLASSES[int(label)].name
        nearest = [
            _picture(image, f"{name}: neighbour {rank} of the prediction", right=bool(right))
            for rank, (image, right) in enumerate(zip(gallery.neighbours[row], gallery.found[row], strict=True), 1)
        ]
        steps = [
            _picture(image, f"{name}: the view found for a turn of {degrees}°", note=f"{degrees}°, off by {gap:.0f}°")
            for image, degrees, gap in zip(gallery.steered[row], gallery.degrees, gallery.gaps[row], strict=True)
        ]
        objects.append(
            {
                "name": name,
                "query": _picture(gallery.queries[row], f"{name}: the source view"),
                "truth": _picture(gallery.truths[row], f"{name}: the target view"),
                "neighbours": nearest,
                "steps": steps,
            }
        )
    return objects


def _picture(image: UInt8[ndarray, "height width 3"], alt: str, **more: Any) -> dict[str, Any]:
    picture = Image.fromarray(np.ascontiguousarray(image))
    picture.thumbnail((THUMBNAIL, THUMBNAIL))
    content = io.BytesIO()
    picture.save(content, "JPEG", quality=88)
    source = "data:image/jpeg;base64," + base64.b64encode(content.getvalue()).decode()
    return {"source": source, "alt": alt, "width": picture.width, "height": picture.height, **more}


def settings_of(results: Results) -> list[tuple[str, str]]:
    """All that the scores depend on, as (name, value), nested names joined by dots."""
    groups = {
        "data": results.data,
        "training": results.training,
        "protocol": results.protocol,
        "parts": results.parts,
        "versions": results.versions,
    }
    return list(_flatten(groups))


def _flatten(value: Mapping[str, Any], prefix: str = "") -> list[tuple[str, str]]:
    lines: list[tuple[str, str]] = []
    for name, inner in value.items():
        if isinstance(inner, Mapping):
            lines += _flatten(inner, f"{prefix}{name}.")
        else:
            lines.append((prefix + name, str(inner)))
    return lines

"""What may stand in a `results.json` that somebody else wrote: all that tables and pages rely on."""

from collections.abc import Mapping
from typing import Any

from iebench.untrusted import count, of_type

NUMBER = (int, float)
_TEXTS_OF_COLUMN = ("title", "key", "published", "unit", "better")
_TEXTS_OF_FIGURE = ("section", "key", "kind", "caption")


def check_values(value: Mapping[str, Any]) -> None:
    """Check the types of what a file of results holds.

    Raises:
        ValueError, KeyError: something is missing, or of another type.
    """
    for name in ("name", "method"):
        of_type(value[name], str, name)
    for name in ("training", "data", "protocol", "versions", "parts", "details", "scores", "baselines"):
        of_type(value[name], dict, name)
    for part, columns in value["parts"].items():
        first, last = of_type(columns, list, part)
        count(last, count(first, 0, 2**40, part), 2**40, part)
    of_type(value["protocol"]["seeds"], list, "seeds")
    count(of_type(value["protocol"]["probes"], dict, "probes")["epochs"], 0, 2**40, "epochs")
    for name in ("trainer", "method_settings"):
        of_type(value["training"].get(name, {}), dict, name)
    for scores in (value["scores"], *value["baselines"].values()):
        check_scores(scores)
    _check_data(value["data"])
    for column in value.get("columns", ()):
        _check_column(column)
    for figure in value.get("figures", ()):
        _check_texts(figure, _TEXTS_OF_FIGURE)
        for name in of_type(figure["dashed"], list, "dashed"):
            of_type(name, str, "dashed")


def check_figure(kind: str, detail: Any, key: str) -> None:
    """Check that a detail has the shape which a figure of its kind shows.

    Raises:
        ValueError, KeyError: it has another.
    """
    of_type(detail, dict, key)
    if kind == "matrix":
        _check_matrix(detail, key)
    elif kind == "table":
        _check_numbers({name: value for name, value in detail.items() if value is not None}, key)
    elif kind == "classes":
        _check_numbers(detail, key)
    else:
        for curve in [detail] if kind == "curve" else detail.values():
            _check_numbers(curve, key)
            list(map(float, curve))


def _check_matrix(rows: Mapping[str, Any], key: str) -> None:
    cells = [of_type(cell, dict, key) for row in rows.values() for cell in of_type(row, dict, key).values()]
    kinds = dict.fromkeys(kind for cell in cells for kind in cell)
    names: Mapping[str, Any] = next(iter(rows.values()), {})
    for row in rows.values():
        for name in names:
            _check_numbers({kind: row[name][kind] for kind in kinds}, key)


def _check_numbers(values: Any, key: str) -> None:
    for value in of_type(values, dict, key).values():
        of_type(value, NUMBER, key)


def check_scores(scores: Any) -> None:
    """Check the types of scores by key.

    Raises:
        ValueError, KeyError: something is missing, or of another type.
    """
    for key, score in of_type(scores, dict, "scores").items():
        _check_score(key, score)


def _check_score(key: str, score: Mapping[str, Any]) -> None:
    if not of_type(score["values"], list, key):
        raise ValueError(f"{key} has no value")
    for value in [*score["values"], *(score[end] for end in ("low", "high") if score[end] is not None)]:
        of_type(value, NUMBER, key)


def _check_data(data: Mapping[str, Any]) -> None:
    of_type(data.get("name", ""), str, "the name of the data")
    classes = data.get("classes")
    for entry in classes if isinstance(classes, list) else []:
        of_type(entry["name"], str, "the name of a class")


def _check_column(column: Mapping[str, Any]) -> None:
    _check_texts(column, _TEXTS_OF_COLUMN)
    of_type(column.get("scale", 1.0), NUMBER, "scale")
    count(column.get("digits", 3), 0, 17, "digits")


def _check_texts(entry: Mapping[str, Any], names: tuple[str, ...]) -> None:
    for name in names:
        of_type(entry.get(name, ""), str, name)

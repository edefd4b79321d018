"""Maps: representations in two dimensions, by their principal components, and by UMAP where it is installed."""

import importlib.util
from collections.abc import Mapping
from typing import Any

import numpy as np
from jaxtyping import Float, UInt16
from numpy import ndarray

_STEPS = 2**16 - 1


def make_maps(
    values: Float[ndarray, "views width"], parts: Mapping[str, slice]
) -> tuple[dict[str, UInt16[ndarray, "views 2"]], list[dict[str, Any]]]:
    """Maps of the whole representation and of its parts.

    Returns:
        Positions by the key of the map, "map0" and so on, and of each its key, its part, how it was made and, of principal
        components, the shares of the variance that they have.
    """
    positions, told = dict[str, UInt16[ndarray, "views 2"]](), list[dict[str, Any]]()
    for part, columns in {"whole": slice(None), **parts}.items():
        for kind, project in _projections().items():
            found, shares = project(np.asarray(values[:, columns], np.float64))
            key = f"map{len(told)}"
            positions[key] = _to_steps(found)
            told.append({"key": key, "part": part, "kind": kind, "shares": shares})
    return positions, told


def project_on_principal(
    values: Float[ndarray, "views width"],
) -> tuple[Float[ndarray, "views 2"], list[float]]:
    """The first two principal components, each with its largest weight positive, and their shares of the variance."""
    centred = values - values.mean(0)
    variances, axes = np.linalg.eigh(centred.T @ centred / len(values))
    chosen = axes[:, ::-1][:, :2]
    chosen = chosen * np.sign(chosen[np.abs(chosen).argmax(0), np.arange(chosen.shape[1])])
    found = np.zeros((len(values), 2))
    found[:, : chosen.shape[1]] = centred @ chosen
    return found, (variances[::-1][:2] / max(variances.sum(), 1e-300)).tolist()


def _project_by_umap(values: Float[ndarray, "views width"]) -> tuple[Float[ndarray, "views 2"], list[float]]:
    import umap

    return np.asarray(umap.UMAP(n_components=2, random_state=0, n_jobs=1).fit_transform(values), np.float64), []


def _projections() -> dict[str, Any]:
    further = {"UMAP": _project_by_umap} if importlib.util.find_spec("umap") else {}
    return {"PCA": project_on_principal, **further}


def _to_steps(positions: Float[ndarray, "views 2"]) -> UInt16[ndarray, "views 2"]:
    """Positions in 65 536 steps of the longer side, which both axes share."""
    span = max(np.ptp(positions, axis=0).max(), 1e-300)
    middle = (positions.max(0) + positions.min(0)) / 2
    return np.clip((positions - middle) / span * _STEPS + _STEPS / 2, 0, _STEPS).round().astype("<u2")

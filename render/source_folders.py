"""Folders of mesh files as a source of objects, a folder for each class."""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from iebench.catalogue import ObjectClass, find_class
from iebench.errors import IebenchError, UsageError
from iebench.render.object_source import Mesh

MESH_SUFFIXES = (".obj", ".glb", ".gltf", ".ply", ".stl")  # where a name occurs with several, the first counts


@dataclass(frozen=True)
class ClassFolders:
    """A folder per class with mesh files in it at any depth, as ModelNet, Objaverse or Google Scanned Objects give them.

    Where every folder is named like a class of 3DIEBench (name or synset), labels are the benchmark's. Otherwise labels count
    the folders in sorted order, and a folder's name stands for the synset.
    """

    root: Path

    @cached_property
    def _folders(self) -> dict[str, tuple[ObjectClass, Path]]:
        paths = [path for path in sorted(self.root.iterdir()) if path.is_dir() and not path.name.startswith(".")]
        try:
            entries = [find_class(path.name) for path in paths]
        except UsageError:
            entries = [ObjectClass(label, _safe(path.name), path.name) for label, path in enumerate(paths)]
        return {entry.synset: (entry, path) for entry, path in zip(entries, paths, strict=True)}

    @cached_property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes of which it has objects, in label order."""
        return tuple(sorted(entry for entry, _ in self._folders.values()))

    def describe(self) -> dict[str, Any]:
        """Plain values for the card."""
        return {"kind": "folders"}

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, sorted."""
        return sorted(self._meshes(synset))

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """The mesh of one object."""
        try:
            path = self._meshes(synset)[object_id]
        except KeyError:
            raise IebenchError(f"{self.root.name} has no object {synset}/{object_id}") from None
        top = self._folders[synset][1] / path.relative_to(self._folders[synset][1]).parts[0]
        folder = top if top.is_dir() else path.parent
        return Mesh(path, folder, unit_diagonal=True, shared=self._shared(synset))

    def _shared(self, synset: str) -> tuple[Path, ...]:
        """Folders beside those of the objects, in which there is no mesh: textures that objects of a class share."""
        if synset not in self._shared_folders:
            folder = self._folders[synset][1]
            own = {path.relative_to(folder).parts[0] for path in self._meshes(synset).values()}
            beside = [path for path in sorted(folder.iterdir()) if path.is_dir() and not path.name.startswith(".")]
            self._shared_folders[synset] = tuple(path for path in beside if path.name not in own)
        return self._shared_folders[synset]

    @cached_property
    def _shared_folders(self) -> dict[str, tuple[Path, ...]]:
        return {}

    def _meshes(self, synset: str) -> dict[str, Path]:
        if synset not in self._cache:
            folder = self._folders[synset][1]
            found = sorted(_walk(folder), key=lambda path: MESH_SUFFIXES.index(path.suffix.lower()), reverse=True)
            self._cache[synset] = {
                _safe("-".join(path.relative_to(folder).with_suffix("").parts)): path for path in found
            }
        return self._cache[synset]

    @cached_property
    def _cache(self) -> dict[str, dict[str, Path]]:
        return {}


def _walk(folder: Path) -> Iterator[Path]:
    """Mesh files below a folder; links to folders are not followed, so no loop can catch it."""
    for parent, _, names in os.walk(folder):
        yield from (Path(parent) / name for name in names if Path(name).suffix.lower() in MESH_SUFFIXES)


def _safe(name: str) -> str:
    """A name that can stand in a sample's key: letters, digits, "-" and "_"."""
    return re.sub(r"[^A-Za-z0-9_-]+", "_", name).strip("_") or "_"

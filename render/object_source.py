"""The protocol of object sources, which those outside this project can follow too.

A source may also have a method `left_out()` that gives, in sentences, what it passed over and why: a render begins with them.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from iebench.catalogue import ObjectClass


@dataclass(frozen=True)
class Mesh:
    """The mesh of one object on disk.

    Attributes:
        path: OBJ, GLB, glTF, PLY, STL or OFF file, perhaps with ".gz" behind it.
        folder: of the object: nothing outside it may be read.
        unit_diagonal: whether it has still to be scaled to a unit diagonal.
        shared: folders of files that the objects of a class share; one is read where a path leads into it.
    """

    path: Path
    folder: Path
    unit_diagonal: bool
    shared: tuple[Path, ...] = ()


@runtime_checkable
class ObjectSource(Protocol):
    """Lists objects by class, and brings the mesh of one. Workers open it anew, so what it says must not change."""

    @property
    def classes(self) -> tuple[ObjectClass, ...]:
        """The classes it has objects of, in label order; with their turns where they are known."""

    def describe(self) -> dict[str, Any]:
        """Plain values for the card, without paths of this machine: "kind", and whatever else decides what is listed."""

    def list_objects(self, synset: str, limit: int | None = None) -> list[str]:
        """Object ids of a class, each once: any text without "/"; an endless source makes `limit` of them."""

    def fetch(self, synset: str, object_id: str, scratch: Path) -> Mesh:
        """Bring the mesh of one object, into `scratch` where it is not a file already.

        Raises:
            IebenchError: it is not there.
        """

"""Which source of objects a folder or file is, also where its level is not the expected one, or what it lacks."""

from pathlib import Path

from iebench.catalogue import SYNSET, find_class
from iebench.errors import UsageError
from iebench.render.folder_files import FORMATS, is_junk, list_folders, mesh_format, name_some
from iebench.render.folder_objects import is_object_folder, is_plain_folder
from iebench.render.object_source import ObjectSource
from iebench.render.source_folders import ClassFolders, describe_files, has_mesh, loose_meshes, mesh_folders
from iebench.render.source_shapenet import ShapeNetFolder, ZipSource, is_shapenet, is_synset

DEEPEST = 3  # folders in which nothing stands but the next one
ONE_CLASS = "give all of them one class with --class NAME"


def open_folder(root: Path, one_class: str | None = None) -> ObjectSource:
    """The source that a folder or file holds.

    Args:
        root: ShapeNetCore, its zip files, or one of its synsets; a folder for each class; or what stands around one of these.
        one_class: the class of all meshes in the folder, or of the one that the file is.

    Raises:
        UsageError: it holds nothing that can be rendered, or no classes; what it holds is named with the mend.
    """
    if one_class is not None:
        return _open_one_class(root, one_class)
    if root.is_file():
        return _open_file(root)
    return _find_shapenet(root) or _open_classes(root)


def _open_one_class(root: Path, one_class: str) -> ObjectSource:
    if not (mesh_format(root.name) if root.is_file() else has_mesh(root)):
        raise _nothing(root)
    return ClassFolders(root, one_class)


def _open_file(root: Path) -> ObjectSource:
    if root.suffix.lower() == ".zip":
        return _open_zips([root])
    if not mesh_format(root.name):
        raise _nothing(root)
    raise UsageError(f"--objects {root} is one object of no class: name its class with --class NAME.")


def _open_zips(archives: list[Path]) -> ObjectSource:
    source = ZipSource(tuple(archives))
    if source.classes:
        return source
    names = source.first_names()
    held = f"holds {name_some(names)}" if names else "is empty"
    raise UsageError(
        f"--objects {archives[0]} {held}, and no SYNSET/OBJECT/models/model_normalized.obj, as only ShapeNet is read from zip "
        "files: unpack it, and give the folder."
    )


def _find_shapenet(root: Path) -> ObjectSource | None:
    """ShapeNetCore in a folder, in the one above it, or in one of its folders."""
    real = root.resolve()
    if SYNSET.fullmatch(real.name) and is_synset(root):
        return ShapeNetFolder(real.parent, real.name)
    here = _shapenet_at(root)
    if here is not None:
        return here
    below = [path for path in list_folders(root) if is_shapenet(path) or _zips(path, named=True)]
    if len(below) > 1:
        names = name_some([path.name for path in below])
        raise UsageError(f"--objects {root} holds ShapeNet more than once, in {names}: give one of these folders.")
    return _shapenet_at(below[0]) if below else None


def _shapenet_at(root: Path) -> ObjectSource | None:
    archives = _zips(root)
    if archives and (_zips(root, named=True) or not any(map(has_mesh, list_folders(root)))):
        return _open_zips(archives)
    return ShapeNetFolder(root) if is_shapenet(root) else None


def _zips(root: Path, named: bool = False) -> list[Path]:
    """The zip files in a folder, or those that are named like a synset."""
    paths = [path for path in sorted(root.glob("*.zip")) if not is_junk(path.name)]
    return [path for path in paths if SYNSET.fullmatch(path.stem)] if named else paths


def _open_classes(root: Path, depth: int = 1) -> ObjectSource:
    folders = mesh_folders(root)
    if not folders:
        loose = [path.name for path in loose_meshes(root)]
        raise _no_classes(root, f"holds {name_some(loose)} and no folder for a class") if loose else _nothing(root)
    if is_object_folder(root):
        raise _no_classes(root, "is one object and holds no folder for a class")
    if not _are_benchmark(folders) and _are_objects(folders):
        raise _no_classes(
            root, f"holds objects and no folders for classes, such as {name_some([p.name for p in folders])}"
        )
    if len(folders) == 1 and depth < DEEPEST and _holds_classes(folders[0]):
        return _open_classes(folders[0], depth + 1)
    return ClassFolders(root)


def _are_objects(folders: list[Path]) -> bool:
    """Whether every folder is one object, and not a class of objects."""
    others = [path for path in folders if not is_object_folder(path)]
    return not others or (len(folders) > 1 and all(map(is_plain_folder, others)))


def _are_benchmark(folders: list[Path]) -> bool:
    try:
        return all(find_class(path.name) for path in folders)
    except UsageError:
        return False


def _holds_classes(folder: Path) -> bool:
    """Whether the folders in a folder are classes: those of the benchmark, or each parted in train and test."""
    inner = mesh_folders(folder)
    parted = all({"train", "test"} & {path.name for path in list_folders(one)} for one in inner)
    return len(inner) > 1 and (parted or _are_benchmark(inner)) and not _are_benchmark([folder])


def _no_classes(root: Path, what: str) -> UsageError:
    return UsageError(f"--objects {root} {what}: put the objects in a folder for each class, or {ONE_CLASS}.")


def _nothing(root: Path) -> UsageError:
    held = root.suffix or "a file without suffix" if root.is_file() else describe_files(root)
    if held == "empty":
        return UsageError(
            f"--objects {root} is empty: it should hold ShapeNet's synset folders or zip files, or a folder for each class."
        )
    return UsageError(
        f"--objects {root} holds no mesh that is read, but {held}: {FORMATS} are read, so convert the objects, as to GLB in "
        "Blender, or unpack them."
    )

"""Bringing files to where others take them: a new folder, or a repository of the hub in one commit."""

from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from iebench.dataset.hub import FORMS, HubAddress, Kind, hub_error, is_hub
from iebench.errors import UsageError
from iebench.files import link_or_copy
from iebench.growing import growing

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Make = Callable[[Path], None]


def publish(target: str, kind: Kind, make: Make, kept: Callable[[], Mapping[str, Path]], ours: Collection[str]) -> str:
    """Bring files to a target, all of them or none.

    Args:
        target: a folder, which must not exist, or an address on the hub, whose repository is made where there is none.
        kind: of the repository.
        make: writes into an empty folder what has to be made.
        kept: gives by name the files that are taken as they are.
        ours: patterns of names; what a repository has of an earlier version under them is removed by the same commit.

    Returns:
        Where the files are: the folder, or the address with the commit.

    Raises:
        UsageError: the folder exists, or the address is of another kind or names a revision.
        IebenchError: the hub refuses, or cannot be reached.
    """
    if not is_hub(target):
        return _fill_folder(Path(target), make, kept)
    address = _check_address(target, kind)
    with _told_as_of(address):
        api = _make_repository(address)  # before there is much work
    with TemporaryDirectory(prefix="iebench-push-") as folder:
        make(Path(folder))
        made = {path.relative_to(folder).as_posix(): path for path in Path(folder).rglob("*") if path.is_file()}
        files = {**kept(), **made}
        with _told_as_of(address):
            return str(replace(address, revision=_commit(api, address, files, ours)))


def _fill_folder(out: Path, make: Make, kept: Callable[[], Mapping[str, Path]]) -> str:
    with growing(out, "push") as root:
        make(root)
        for name, path in kept().items():
            link_or_copy(path, root / name)
    return str(out)


def _check_address(target: str, kind: Kind) -> HubAddress:
    address = HubAddress.parse(target)
    if address.kind != kind or address.path:
        raise UsageError(f"{target} is no place for a {'run' if kind == 'model' else kind}: {FORMS}.")
    if address.revision:
        raise UsageError(f"{target} names a revision, and a push makes a new one: leave @{address.revision} out.")
    return address


@contextmanager
def _told_as_of(address: HubAddress) -> Iterator[None]:
    """Whatever huggingface_hub raises, of the hub or of the network, becomes one sentence."""
    try:
        yield
    except ImportError:
        raise
    except Exception as error:
        raise hub_error(str(address), error) from None


def _make_repository(address: HubAddress) -> "HfApi":
    """The hub, with the repository of an address, which is made where there is none."""
    from huggingface_hub import HfApi

    api = HfApi(library_name="iebench")
    api.create_repo(address.name, repo_type=address.kind, exist_ok=True)
    return api


def _commit(api: "HfApi", address: HubAddress, files: Mapping[str, Path], ours: Collection[str]) -> str:
    """One commit with all files; returns its hash."""
    from huggingface_hub import CommitOperationAdd, CommitOperationDelete

    there = api.list_repo_files(address.name, repo_type=address.kind)
    old = [name for name in there if name not in files and any(_matches(name, pattern) for pattern in ours)]
    operations = [CommitOperationAdd(name, str(path)) for name, path in sorted(files.items())]
    done = api.create_commit(
        address.name,
        [*operations, *(CommitOperationDelete(name) for name in old)],
        commit_message="Push by iebench",
        repo_type=address.kind,
    )
    return done.oid


def _matches(name: str, pattern: str) -> bool:
    """Whether a pattern is of a file, in whose folder it stands: `fnmatch` alone takes * for slashes too."""
    return name.count("/") == pattern.count("/") and fnmatch(name, pattern)

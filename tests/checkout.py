"""A copy of the project's code, as its own tests may not write to the checkout, to which others write bytecode meanwhile."""

import shutil
from pathlib import Path

ROOT = Path(__file__).parent.parent
CODE = ("iebench", "render", "models", "src", "pyproject.toml", "README.md", "LICENSE")


def copy_checkout(target: Path, names: tuple[str, ...] = CODE) -> Path:
    """Copy folders and files of the checkout into a folder, without what was built from them."""
    target.mkdir(exist_ok=True)
    for name in names:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("__pycache__", "*.egg-info")
            shutil.copytree(source, target / name, symlinks=True, ignore=ignored)
        else:
            shutil.copy(source, target / name)
    return target

"""What the site has beside the pages of docs/: README.md as its first page, and links that leave docs/ as plain names.

mkdocs calls the functions `on_…` (mkdocs.yml, `hooks`). What is broken is a warning, which `mkdocs build --strict` fails on.
"""

import ast
import logging
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).parent.parent
LOG = logging.getLogger("mkdocs.plugins.site")
LEAVING = re.compile(r"(?<!!)\[([^\]]+)\]\((\.\./[^)#]*)[^)]*\)")
NO_WORD = re.compile(r"[^\w -]|[²³]")
FACES = ("iebench", "iebench.callbacks", "iebench.evals")  # modules whose `__all__` is what the reference owes


def on_config(config: Any) -> Any:
    """Give headings the anchors that they have where the pages are read as files of the repository."""
    config.mdx_configs["toc"]["slugify"] = lambda heading, _: NO_WORD.sub("", heading.lower()).replace(" ", "-")
    return config


def on_files(files: Files, config: Any) -> Files:
    """Add README.md as index.md."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    inside = readme.replace("](docs/", "](")
    outside = re.sub(r"\]\((?!https?:|#)([\w./-]+)\)", _reach_from_docs, inside)
    files.append(File.generated(config, "index.md", content=outside))
    return files


def on_page_markdown(markdown: str, page: Any, **_: Any) -> str:
    """Turn links to files of the repository, which the site does not hold, into their names."""

    def name(found: re.Match[str]) -> str:
        target = (ROOT / "docs" / page.file.src_uri).parent.joinpath(found[2]).resolve()
        if target.is_relative_to(ROOT / "docs"):
            return found[0]
        if not target.exists():
            LOG.warning("%s links to %s, which does not exist", page.file.src_path, found[2])
        return found[1] if found[1].startswith("`") else f"`{found[1]}`"

    return LEAVING.sub(name, markdown)


def on_pre_build(**_: Any) -> None:
    """Miss no public name in the reference."""
    told = "".join(path.read_text(encoding="utf-8") for path in (ROOT / "docs" / "reference").glob("*.md"))
    for name in _public_names():
        if not re.search(rf"^::: {re.escape(name)}$", told, re.MULTILINE):
            LOG.warning("%s is public, and no page of docs/reference has it", name)


def _reach_from_docs(found: re.Match[str]) -> str:
    path = found[1]
    return found[0] if (ROOT / "docs" / path).exists() else f"](../{path})"


def _public_names() -> Iterator[str]:
    """What the faces of the package export."""
    for module in FACES:
        path = ROOT / module.replace(".", "/")
        path = path / "__init__.py" if path.is_dir() else path.with_suffix(".py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body:
            if isinstance(node, ast.Assign) and getattr(node.targets[0], "id", "") == "__all__":
                yield from (f"{module}.{name}" for name in ast.literal_eval(node.value) if not name.startswith("__"))

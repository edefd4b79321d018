"""The pages themselves, as they come with the package: one document, its style, and its scripts in one file."""

import re
from importlib.resources import files
from pathlib import Path

SCRIPTS = "explorer.js"
_SCRIPT = re.compile(r'<script defer src="([a-z_]+\.js)"></script>\n')


def copy_pages(root: Path) -> None:
    """Write `index.html`, `explorer.css` and `explorer.js` into a folder.

    The scripts stand in one file, in the order of the document: a third of the time to first picture went into asking for twenty.
    """
    source = files("iebench.explore").joinpath("site")
    document = source.joinpath("index.html").read_text(encoding="utf-8")
    scripts = [source.joinpath(name).read_text(encoding="utf-8") for name in _SCRIPT.findall(document)]
    first, rest = _SCRIPT.split(document, maxsplit=1)[::2]
    document = f'{first}<script defer src="{SCRIPTS}"></script>\n{_SCRIPT.sub("", rest)}'
    (root / "index.html").write_text(document, encoding="utf-8")
    (root / SCRIPTS).write_text("\n".join(scripts), encoding="utf-8")
    (root / "explorer.css").write_bytes(source.joinpath("explorer.css").read_bytes())

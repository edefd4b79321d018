"""Names and texts of others, escaped for where they are shown: a terminal, and the cells of tables.

A terminal obeys control characters, a spreadsheet formulas, Markdown and LaTeX their own signs; HTML is escaped by its templates.
"""

import re

# C0 and C1 controls, and what turns the direction of a line, hides in it or ends it without being seen.
_UNSEEN = r"\0-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u2028-\u202e\u2060-\u2069\ufeff\ud800-\udfff"
_OBEYED = re.compile(f"[{_UNSEEN}]")
_UNPRINTABLE = re.compile(rf"[{_UNSEEN}\t\n]")
_NUMBER = re.compile(r"[-+]?\.?\d[\d., ]*([eE][-+]?\d+)?[%°]?( ± \S+| \[.*\])?")
_FORMULA = ("=", "+", "-", "@", "|", "%", "\t", "\r", "\n")
_LATEX = {"\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%", "_": r"\_",
          "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}", ">": r"\textgreater{}",
          "|": r"\textbar{}", '"': r"\textquotedbl{}",
          "±": r"$\pm$", "°": r"$^\circ$", "²": "$^2$", "≈": r"$\approx$"}  # fmt: skip
_MARKDOWN = re.compile(r"([\\`*\[\]<>|&]|(?<!\w)_|_(?!\w)|://)")


def printable(name: str) -> str:
    """A name on one line: control characters, line ends and what is no Unicode stand as escapes."""
    return _UNPRINTABLE.sub(_escape, name)


def for_terminal(text: str) -> str:
    """A text of whole lines as a terminal may be given it: line ends and tabs stay, all that it would obey stands as escapes."""
    return _OBEYED.sub(_escape, text)


def csv_cell(text: str) -> str:
    """A cell that no spreadsheet takes for a formula (OWASP, CSV injection): such a text begins with a quotation mark."""
    text = printable(text)
    return f"'{text}" if text.startswith(_FORMULA) and not _NUMBER.fullmatch(text) else text


def markdown_cell(text: str) -> str:
    """A cell in which nothing is markup, HTML, a link or the end of the cell."""
    return _MARKDOWN.sub(_escape_markdown, printable(text))


def latex_cell(text: str) -> str:
    """A cell in which nothing is a command; the signs of our own numbers become LaTeX's."""
    return "".join(_LATEX.get(sign, sign) for sign in printable(text))


def _escape(found: re.Match[str]) -> str:
    code = ord(found.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _escape_markdown(found: re.Match[str]) -> str:
    sign = found.group()
    return {"<": "&lt;", ">": "&gt;", "&": "&amp;", "://": ":&#47;/"}.get(sign, "\\" + sign)

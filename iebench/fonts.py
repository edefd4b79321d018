"""A font that has the letters of a text, as names of classes may be in any script."""

import subprocess
from collections.abc import Iterator
from functools import cache

from PIL import ImageFont

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
_NO_LETTER = "\uffff"


def letter_text(text: str, size: int) -> tuple[str, Font]:
    r"""A text and a font to draw it with: the usual one, or one of the system's that has its letters.

    Where no font has them, they come as escapes such as "\u684c", which can be told apart as empty boxes cannot.
    """
    for font in _fonts(text, size):
        if all(_has_letter(font, letter) for letter in set(text)):
            return text, font
    return text.encode("ascii", "backslashreplace").decode(), _usual_font(size)


def _fonts(text: str, size: int) -> Iterator[Font]:
    """The usual font, and the system's where that is asked for, which starts a process."""
    yield _usual_font(size)
    if font := _system_font("".join(sorted({c for c in text if not c.isascii()})), size):
        yield font


@cache
def _usual_font(size: int) -> Font:
    return ImageFont.load_default(size)


@cache
def _system_font(letters: str, size: int) -> Font | None:
    """The font that fontconfig finds for some letters, where the machine has it."""
    wanted = ":charset=" + " ".join(f"{ord(letter):x}" for letter in letters)
    try:
        found = subprocess.run(
            ["fc-match", "-f", "%{file}", wanted], capture_output=True, text=True, timeout=10, check=True
        )
        return ImageFont.truetype(found.stdout, size)
    except (OSError, subprocess.SubprocessError):
        return None


def _has_letter(font: Font, letter: str) -> bool:
    return letter == " " or bytes(font.getmask(letter)) != bytes(font.getmask(_NO_LETTER))

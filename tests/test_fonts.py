"""Names in any script can be read in pictures."""

import pytest
from PIL import ImageFont

from iebench import fonts


def test_plain_text_is_drawn_as_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fonts, "_system_font", lambda *_: pytest.fail("no other program is needed for it"))
    text, font = fonts.letter_text("trash bin, turned by 91°", 12)
    assert text == "trash bin, turned by 91°" and bytes(font.getmask(text)) == bytes(
        ImageFont.load_default(12).getmask(text)
    )


@pytest.mark.parametrize("text", ["桌子", "стол", "café"])
def test_letters_come_from_a_font_that_has_them_or_as_escapes(
    text: str, monkeypatch: pytest.MonkeyPatch, tmp_path
) -> None:
    drawn, font = fonts.letter_text(text, 12)
    boxes = {bytes(font.getmask(letter)) for letter in drawn}
    assert bytes(font.getmask("\uffff")) not in boxes and len(boxes) > 1
    monkeypatch.setenv("PATH", str(tmp_path))
    fonts._system_font.cache_clear()
    assert fonts.letter_text(text, 12)[0] == text.encode("ascii", "backslashreplace").decode()
    fonts._system_font.cache_clear()

"""Pictures written to files."""

from pathlib import Path
from typing import Any

from PIL import Image

from iebench.errors import UsageError
from iebench.files import whole_file


def save_picture(picture: Image.Image, path: Path, **settings: Any) -> None:
    """Write a picture whole; the suffix says in which format.

    Args:
        picture: what is written.
        path: the file.
        settings: of the format, as Pillow knows them.

    Raises:
        UsageError: there is no such format, or the file cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        form = Image.registered_extensions().get(path.suffix.lower())
        if form is None:
            raise ValueError(f"unknown file extension: {path.suffix}")
        with whole_file(path) as partial:
            picture.save(partial, form, **{"quality": 85, **settings})
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None)  # the system's; Pillow gives none where a format is at fault
        mend = (
            "name a file where there is room and you may write" if reason else "name a file that ends in .jpg or .png"
        )
        raise UsageError(f"{path} cannot be written ({reason or error}): {mend}.") from None

"""Pictures written to files."""

from pathlib import Path

from PIL.Image import Image

from iebench.errors import UsageError


def save_picture(picture: Image, path: Path) -> None:
    """Write a picture; the suffix says in which format.

    Raises:
        UsageError: there is no such format, or the file cannot be written there.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=85)
    except (ValueError, OSError) as error:
        reason = getattr(error, "strerror", None)  # the system's; Pillow gives none where a format is at fault
        mend = (
            "name a file where there is room and you may write" if reason else "name a file that ends in .jpg or .png"
        )
        raise UsageError(f"{path} cannot be written ({reason or error}): {mend}.") from None

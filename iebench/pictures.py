"""Pictures written to files."""

from pathlib import Path

from PIL.Image import Image

from iebench.errors import UsageError


def save_picture(picture: Image, path: Path) -> None:
    """Write a picture; the suffix says in which format.

    Raises:
        UsageError: there is no such format, or the file cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        picture.save(path, quality=85)
    except (ValueError, OSError) as error:
        raise UsageError(f"{path} cannot be written ({error}): name a file that ends in .jpg or .png.") from None

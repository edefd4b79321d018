"""Renders in real worker processes, small and quick."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import trimesh


@pytest.fixture
def iebench(tmp_path: Path) -> Callable[..., subprocess.CompletedProcess]:
    """Run the command line in a process of its own, in an empty folder."""

    def run(*words: object, code: int = 0, minutes: float = 5) -> subprocess.CompletedProcess:
        command = [sys.executable, "-m", "iebench", *map(str, words)]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=60 * minutes, check=False)
        assert done.returncode == code, f"exit code {done.returncode}\n{done.stdout}\n{done.stderr}"
        return done

    return run


@pytest.fixture
def shapenet(tmp_path: Path) -> Callable[[dict[str, str | bytes]], Path]:
    """Write objects as a ShapeNetCore v2 folder of mugs: {object_id: text of its OBJ}."""

    def write(objects: dict[str, str | bytes]) -> Path:
        for object_id, content in objects.items():
            path = tmp_path / "shapenet" / "03797390" / object_id / "models" / "model_normalized.obj"
            path.parent.mkdir(parents=True)
            path.write_bytes(content.encode() if isinstance(content, str) else content)
        return tmp_path / "shapenet"

    return write


@pytest.fixture
def beams() -> trimesh.Trimesh:
    """Three beams of different lengths and a knob: no rotation but the identity maps it to itself."""
    parts = (((1.0, 0.15, 0.1), (0.5, 0, 0)), ((0.1, 0.7, 0.2), (0, 0.35, 0)), ((0.2, 0.1, 0.4), (0, 0, 0.2)),
             ((0.25, 0.25, 0.25), (0.9, 0.15, 0.0)))  # fmt: skip
    places = [(extents, trimesh.transformations.translation_matrix(place)) for extents, place in parts]
    return trimesh.util.concatenate([trimesh.creation.box(*place) for place in places])


@pytest.fixture(scope="session")
def published_mug(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One object with the image that the published generator makes of it: folders `objects` and `latents`."""
    root, data = tmp_path_factory.mktemp("mug"), Path(__file__).parent / "data"
    name = Path("03797390") / "1bfa116fdb30d1cc19ff47aa13d2c3df"
    models, latents = root / "objects" / name / "models", root / "latents" / name
    models.mkdir(parents=True)
    latents.mkdir(parents=True)
    shutil.copy(data / "mug.obj", models / "model_normalized.obj")
    shutil.copy(data / "mug.npy", latents / "latent_0.npy")
    shutil.copy(data / "mug.jpg", latents / "image_0.jpg")
    return root

"""What a user asks `iebench render` for: its options as one value, filled after a preset or not."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from iebench.dataset.card import FOCAL_LENGTH
from iebench.dataset.card_parts import PresetNote
from iebench.errors import UsageError
from iebench.render.presets import get_preset
from iebench.render.quality import DEFAULT as DEFAULT_QUALITY
from iebench.render.sources import PROCEDURAL

_WORK = ("part", "objects_per_shard", "passes")  # options that change no view
_LAID_OUT = {"design", "trajectory"}  # options that say how many views there are
PUBLISHED_SPACE = "3diebench"


@dataclass(frozen=True)
class RenderRequest:
    """A call of `iebench render`; every field is one of its options.

    Attributes:
        objects: "procedural", a folder, a zip file, or `package.module:name`.
        up: "y" or "z", the axis that points up in OBJ, PLY, STL and OFF files.
        one_class: the class of all objects in a folder, or of one mesh file.
        classes: a number, or names and synsets with commas between; None for all that the source has.
        objects_per_class: at most; None for all, or for 20 procedural ones.
        object_list: file of the only objects to take.
        exclude: file of objects to leave out, beside those known to be bad.
        val_list: file of the objects that validate; all others train. None splits by hash, 80 to 20.
        views: of each object; None for 50, or for as many as `latents`, a design or a clip has.
        size: side of the images in pixels.
        space: name of a factor space, or a TOML file; None for 3diebench, or for what `latents` tell.
        factors: ranges to replace in it, as "NAME=LOW:HIGH" or "NAME=VALUE".
        quality: name of a quality.
        focal_length: of the camera in millimetres; its sensor is 36 mm wide.
        seed: of the latents; None for 0.
        sweep: "NAME=FROM:TO:N": N views, in which only this factor moves.
        design: "crossed", or a TOML file that says what is crossed.
        vary: "NAME[:LEVELS]", the factor or group that moves in a crossed design.
        hold: the same with commas between, what is held meanwhile on each of its levels.
        trajectory: "slerp:N", clips of N views on the shortest way between two rotations.
        latents: folder with latents in the published layout, instead of a seed.
        objects_per_shard: of the shards.
        part: "i/n", the share of this machine.
        preset: after which the other fields were filled.
        passes: names of geometry passes with commas between; None for none.
    """

    objects: str = PROCEDURAL
    classes: str | None = None
    objects_per_class: int | None = None
    object_list: Path | None = None
    exclude: Path | None = None
    val_list: Path | None = None
    views: int | None = None
    size: int = 256
    space: str | None = None
    factors: tuple[str, ...] = ()
    quality: str = DEFAULT_QUALITY
    focal_length: float = FOCAL_LENGTH
    seed: int | None = None
    sweep: str | None = None
    design: str | None = None
    vary: str | None = None
    hold: str | None = None
    trajectory: str | None = None
    latents: Path | None = None
    objects_per_shard: int = 256
    part: str = "1/1"
    up: str = "y"
    one_class: str | None = None
    preset: str | None = None
    passes: str | None = None

    @classmethod
    def after(cls, preset: str | None, given: Mapping[str, Any]) -> "RenderRequest":
        """The request of a preset, in which `given` fields come before the preset's.

        Raises:
            UsageError: there is no such preset, or it cannot be rendered without a folder of objects.
        """
        if preset is None:
            return cls(**given)
        found = get_preset(preset)
        if found.needs and "objects" not in given:
            raise UsageError(f"--preset {preset} needs {found.needs}: name it with --objects.")
        own = {name: value for name, value in found.settings.items() if name != "views" or not _LAID_OUT & given.keys()}
        return cls(**{**own, **given, "preset": preset})

    def note_preset(self, kind: str) -> PresetNote | None:
        """What the card says of a render of objects of this kind after a preset; None without one."""
        if self.preset is None:
            return None
        preset, now = get_preset(self.preset), self._settle()
        pure = RenderRequest.after(self.preset, {"objects": self.objects})._settle()
        names = [entry.name for entry in fields(self) if entry.name not in _WORK]
        changed = [name for name in names if getattr(now, name) != getattr(pure, name)]
        return PresetNote(preset.dataset_name, tuple(changed + ["objects"] * (kind != preset.kind)))

    def _settle(self) -> "RenderRequest":
        """The request with what a missing seed and space stand for."""
        return replace(self, seed=self.seed or 0, space=self.space or PUBLISHED_SPACE)

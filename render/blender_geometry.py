"""A second scene in Blender with the same object, floor and camera, which tells where rays end instead of what color they bring.

It has settings of its own, so that the picture is the same, byte for byte, whether it is asked for or not.
"""

from pathlib import Path

import bpy

from iebench.render.frame_files import read_exr
from iebench.render.view_passes import Traced

OBJECT = 1  # the object's number in the pass that tells objects apart; the floor has 0
OBJECT_PASSES = ("IndexOB.X", "Object Index.X")  # its name in Blender 4 and 5
_POSITION, _NORMAL = ([(f"{name}.{axis}",) for axis in "XYZ"] for name in ("Position", "Normal"))
_NARROW = 0.01  # pixels about its middle in which a pixel's ray may lie: the least that Cycles takes


class GeometryScene:
    """A copy of a scene without its lamps, rendered with one ray for each pixel, through its middle."""

    def __init__(self, scene: bpy.types.Scene, path: Path) -> None:
        """Copy a scene that holds all but the object.

        Args:
            scene: with camera, floor, size, device and threads as they are to be.
            path: for the pixels on their way out of Blender.
        """
        self._scene, self._path = scene.copy(), path
        for thing in [thing for thing in scene.objects if thing.type == "LIGHT"]:
            self._scene.collection.objects.unlink(thing)
        self._scene.world = None
        _set_cycles(self._scene.cycles)
        _set_format(self._scene.render, path)
        layer = self._scene.view_layers[0]
        layer.use_pass_position = layer.use_pass_normal = True

    def show(self, thing: bpy.types.Object, scene: bpy.types.Scene) -> None:
        """Put the object of a scene here too, as it is at that scene's frame."""
        self._scene.collection.objects.link(thing)
        self._scene.frame_set(scene.frame_current, subframe=scene.frame_subframe)

    def trace(self, size: int) -> Traced:
        """What the rays meet, as the object stands now; `size` is that of the scene."""
        bpy.ops.render.render(write_still=True, scene=self._scene.name)
        channels = read_exr(self._path, size, OBJECT_PASSES, *_POSITION, *_NORMAL)
        return Traced(channels[0] == OBJECT, channels[1:4].transpose(1, 2, 0), channels[4:7].transpose(1, 2, 0))


def _set_cycles(cycles: bpy.types.PropertyGroup) -> None:
    cycles.samples, cycles.use_adaptive_sampling, cycles.use_denoising = 1, False, False
    cycles.max_bounces = 0  # what is transparent has bounces of its own
    cycles.pixel_filter_type, cycles.filter_width = "BLACKMAN_HARRIS", _NARROW  # a box would be a pixel wide


def _set_format(render: bpy.types.RenderSettings, path: Path) -> None:
    settings = render.image_settings
    if hasattr(settings, "media_type"):  # since Blender 5, which formats there are depends on it
        settings.media_type = "MULTI_LAYER_IMAGE"
    settings.file_format, settings.exr_codec, settings.color_depth = "OPEN_EXR_MULTILAYER", "NONE", "32"
    if hasattr(settings, "use_exr_interleave"):  # since Blender 5, passes are else parts of their own
        settings.use_exr_interleave = True
    render.filepath = str(path)

"""The scene in Blender, with room for one object. It builds the scene once, then applies what differs between views.

Import it only in a process that may be lost: Blender can crash, hang and leak.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import bpy
import numpy as np
from jaxtyping import Bool, UInt8
from mathutils import Matrix
from numpy import ndarray

from iebench.dataset.appearance import Lost
from iebench.dataset.card import FOCAL_LENGTH
from iebench.errors import IebenchError
from iebench.render import scene as spec
from iebench.render.blender_export import NormalSettler
from iebench.render.blender_geometry import OBJECT, OBJECT_PASSES, GeometryScene
from iebench.render.blender_import import MeshError, coordinates, import_still, link, read_surface
from iebench.render.blender_looks import diffuse_material, drop_missing_images, forget_kept_data, has_packed_images
from iebench.render.denoiser_network import stock_network, use_network
from iebench.render.frame_files import read_bmp, read_exr
from iebench.render.pilots import SEEDS, count_samples, find_noise, pilot_scenes, pilot_size
from iebench.render.quality import Quality
from iebench.render.scene import VANISHED
from iebench.render.surface import Surface
from iebench.render.view_passes import Traced

PROOF_SIZE = 32  # pixels
SMALLEST, LARGEST = 1e-30, 1e30  # of float32, with room for products


class Stage:
    """The scene of 3DIEBench in Blender, with room for one object."""

    def __init__(
        self,
        image_size: int,
        quality: Quality,
        scratch: Path,
        device: str = "cpu",
        threads: int = 0,
        focal_length: float = FOCAL_LENGTH,
        geometry: bool = False,
    ) -> None:
        """Build the scene.

        Args:
            image_size: side of the images in pixels.
            quality: samples and denoiser.
            scratch: folder for the pixels on their way out of Blender; best in memory.
            device: "cpu", or a GPU such as "optix:0".
            threads: of Cycles; 0 takes all cores.
            focal_length: of the camera in millimetres.
            geometry: whether `trace` is wanted.

        Raises:
            IebenchError: Blender does not take the denoiser's network.
        """
        bpy.ops.wm.read_factory_settings(use_empty=True)
        self._scene = bpy.context.scene
        self._pixels = scratch / "view.bmp"
        self._size, self._quality = image_size, quality
        self._object: bpy.types.Object | None = None
        _set_world(self._scene)
        _add_camera(self._scene, focal_length)
        _add_sun(self._scene)
        self._spot = _add_spot(self._scene)
        self._floor_color = _add_floor(self._scene)
        _set_render(self._scene, image_size, self._pixels, threads)
        _set_cycles(self._scene.cycles, quality)
        self.device = _set_device(self._scene.cycles, device)
        self._geometry = GeometryScene(self._scene, scratch / "geometry.exr") if geometry else None
        self._settler = NormalSettler()
        self._own = set(_all_data())
        use_network(quality.network)
        if quality.network is not None:
            self._prove_network(quality.network)

    def _prove_network(self, name: str) -> None:
        """Look whether pictures come from our network, as Cycles goes on with its own where it does not know of such files.

        Raises:
            IebenchError: they do not.
        """
        try:
            with self._resized(PROOF_SIZE):
                ours = self._shoot()
                with stock_network():
                    forget_kept_data(self._scene)
                    told = "" if (ours != self._shoot()).any() else "it goes on with its own, as all before 4.5 do"
        except RuntimeError as error:  # Open Image Denoise cannot use it, or the picture cannot be written
            told = " ".join(str(error).split())
        forget_kept_data(self._scene)
        if told:
            raise IebenchError(
                f"Blender {blender_version()} does not use the denoiser's network {name} ({told}): --quality fast "
                "needs none"
            )

    @contextmanager
    def _resized(self, size: int) -> Iterator[None]:
        """For a while, images have another size."""
        render = self._scene.render
        render.resolution_x = render.resolution_y = size
        try:
            yield
        finally:
            render.resolution_x = render.resolution_y = self._size

    def _shoot(self) -> UInt8[ndarray, "size size 3"]:
        """An image of what stands there now."""
        bpy.ops.render.render(write_still=True)
        return read_bmp(self._pixels, self._scene.render.resolution_x)

    def load(self, mesh: Path, unit_diagonal: bool, up: str = "y") -> tuple[Surface, list[Lost]]:
        """Put an object on the stage: import it, join its meshes, centre it.

        Args:
            mesh: OBJ, PLY, STL, GLB or glTF file.
            unit_diagonal: scale its bounding box to a diagonal of 1. ShapeNet's objects have it already, and keep the centre
                that the published generator gives them, to which shapes that nobody sees belong.
            up: "y" or "z", the axis that points up in the file.

        Returns:
            The object's surface in its own frame, found apart from what stands on the stage; and what of its appearance
            Blender cannot show.

        Raises:
            MeshError: there is nothing in the file that could be rendered.
        """
        self.clear()
        self._object, vertices, lost = import_still(self._scene, mesh, up, drop_invisible=unit_diagonal)
        self._object.pass_index = OBJECT
        _centre(self._object, unit_diagonal)
        lost += drop_missing_images()
        surface = read_surface(self._object.data, vertices).placed(unit_diagonal)
        self._settler.settle(self._object)
        if self._geometry is not None:
            self._geometry.show(self._object, self._scene)
        self.choose_samples()
        return surface, lost

    def choose_samples(self) -> float:
        """Give the object as many samples as its pilots ask for, where the quality leaves it to them; `load` has done so.

        Returns:
            The noise of the pilots; 0 where there were none.
        """
        least, most = self._quality.samples, self._quality.most_samples
        if most <= least:
            return 0.0
        with self._resized(pilot_size(self._size)):
            noise = find_noise(*map(self._render_pilots, SEEDS))
        self._set_samples(count_samples(noise, least, most), SEEDS[0])
        return noise

    def _render_pilots(self, seed: int) -> UInt8[ndarray, "n size size 3"]:
        self._set_samples(self._quality.samples, seed)
        return np.stack([self.render(scene) for scene in pilot_scenes()])

    def _set_samples(self, samples: int, seed: int) -> None:
        """Set the samples per pixel and the seed of their noise."""
        cycles = self._scene.cycles
        if (cycles.samples, cycles.seed) != (samples, seed):
            cycles.samples, cycles.seed = samples, seed
            forget_kept_data(self._scene)  # else some pixels are still as before

    def clear(self) -> None:
        """Take the object off the stage, with all that came with it, so that memory does not grow."""
        self._object = None
        if has_packed_images():
            for scene in bpy.data.scenes:
                forget_kept_data(scene)
        bpy.data.batch_remove([thing for thing in _all_data() if thing not in self._own])

    def render(self, view: spec.ViewScene) -> UInt8[ndarray, "size size 3"]:
        """Render one view of the object on the stage: sRGB bytes."""
        assert self._object is not None, "load an object first"
        try:
            self._object.matrix_world = Matrix(view.object_matrix.tolist())
        except ReferenceError:
            raise MeshError("the object has gone from the stage") from None
        self._spot.matrix_world = Matrix(view.spot_matrix.tolist())
        self._spot.data.color = view.spot_color
        self._floor_color.default_value = (*view.floor_color, 1.0)
        return self._shoot()

    def mask(self) -> Bool[ndarray, "size size"]:
        """Where the object is in the last view: the pixels whose first ray met it where it is not invisible."""
        path = self._pixels.with_suffix(".exr")
        _set_format(self._scene.render.image_settings, "OPEN_EXR_MULTILAYER")
        bpy.data.images["Render Result"].save_render(str(path), scene=self._scene)
        _set_format(self._scene.render.image_settings, "BMP")
        return read_exr(path, self._size, OBJECT_PASSES)[0] == OBJECT

    def trace(self) -> Traced:
        """What the rays through the middles of the pixels meet in the last view, after which `mask` can no longer be asked."""
        assert self._geometry is not None, "the stage was made without geometry"
        return self._geometry.trace(self._size)


def _all_data() -> list[bpy.types.ID]:
    """Everything that an importer can add to Blender's file. Purging orphans would miss textures that still count users."""
    data = bpy.data
    kinds = (
        data.scenes,
        data.objects,
        data.meshes,
        data.materials,
        data.images,
        data.textures,
        data.node_groups,
        data.lights,
    )
    more = (data.cameras, data.collections, data.actions, data.armatures, data.curves, data.pointclouds, data.texts)
    return [thing for kind in kinds + more for thing in kind]


def blender_version() -> str:
    """Such as "4.5.3"."""
    return bpy.app.version_string


def devices() -> Iterator[tuple[str, str]]:
    """(backend, name) of every GPU that Cycles could use here."""
    preferences = _cycles_preferences()
    for backend in GPU_BACKENDS:
        try:
            preferences.compute_device_type = backend.upper()
        except TypeError:  # this build of Blender has no such backend
            continue
        preferences.refresh_devices()
        yield from ((backend, device.name) for device in preferences.devices if device.type == backend.upper())


GPU_BACKENDS = ("optix", "cuda", "hip", "metal", "oneapi")


def _cycles_preferences() -> bpy.types.AddonPreferences:
    return bpy.context.preferences.addons["cycles"].preferences


def _set_device(cycles: bpy.types.PropertyGroup, device: str) -> str:
    """Choose where Cycles runs and return its name.

    Args:
        device: "cpu", or a backend and the number of the GPU among those of that backend, such as "optix:0".
    """
    if device == "cpu":
        cycles.device = "CPU"
        return "cpu"
    backend, _, number = device.partition(":")
    preferences = _cycles_preferences()
    preferences.compute_device_type = backend.upper()
    preferences.refresh_devices()
    gpus = [entry for entry in preferences.devices if entry.type == backend.upper()]
    for entry in preferences.devices:
        entry.use = entry == gpus[int(number or 0)]
    cycles.device = "GPU"
    return f"{backend} ({gpus[int(number or 0)].name})"


def _set_render(scene: bpy.types.Scene, size: int, pixels: Path, threads: int) -> None:
    render = scene.render
    render.engine = "CYCLES"
    render.resolution_x = render.resolution_y = size
    render.resolution_percentage = 100
    render.use_persistent_data = True
    render.threads_mode, render.threads = ("FIXED", threads) if threads else ("AUTO", 1)
    render.filepath = str(pixels)
    render.use_file_extension = False
    render.use_compositing = render.use_sequencer = False
    _set_format(render.image_settings, "BMP")
    layer = scene.view_layers[0]
    layer.use_pass_object_index, layer.pass_alpha_threshold = True, VANISHED
    scene.view_settings.view_transform = "Filmic"
    scene.view_settings.look = "None"


def _set_format(settings: bpy.types.ImageFormatSettings, name: str) -> None:
    if hasattr(settings, "media_type"):  # since Blender 5, which formats there are depends on it
        settings.media_type = "IMAGE" if name == "BMP" else "MULTI_LAYER_IMAGE"
    settings.file_format = name
    if name == "BMP":
        settings.color_mode = "RGB"
    else:
        settings.exr_codec, settings.color_depth = "NONE", "16"  # whole numbers up to 2048 are exact
        if hasattr(settings, "use_exr_interleave"):  # since Blender 5, passes are else parts of their own
            settings.use_exr_interleave = True


def _set_cycles(cycles: bpy.types.PropertyGroup, quality: Quality) -> None:
    cycles.seed = SEEDS[0]
    cycles.samples = quality.samples
    cycles.use_adaptive_sampling = quality.adaptive_threshold > 0
    cycles.adaptive_threshold = quality.adaptive_threshold
    cycles.use_light_tree = False
    cycles.diffuse_bounces, cycles.glossy_bounces, cycles.transmission_bounces = 3, 0, 0
    cycles.transparent_max_bounces, cycles.max_bounces = 8, 3
    cycles.use_denoising = quality.denoise
    cycles.denoiser = "OPENIMAGEDENOISE"
    cycles.denoising_input_passes = quality.passes
    cycles.denoising_prefilter = quality.prefilter
    cycles.denoising_quality = quality.denoiser_quality
    cycles.denoising_use_gpu = quality.network is not None  # where there is one; older qualities keep their bytes


def _set_world(scene: bpy.types.Scene) -> None:
    scene.world = bpy.data.worlds.new("world")
    scene.world.use_nodes = True
    background = next(n for n in scene.world.node_tree.nodes if n.type == "BACKGROUND")
    background.inputs["Color"].default_value = (spec.WORLD_GREY,) * 3 + (1.0,)


def _add_camera(scene: bpy.types.Scene, focal_length: float) -> None:
    data = bpy.data.cameras.new("camera")
    data.lens, data.sensor_width, data.clip_end = focal_length, spec.SENSOR_WIDTH, 2 * spec.FLOOR_SIDE
    scene.camera = link(scene, "camera", data)
    scene.camera.matrix_world = Matrix(spec.camera_matrix().tolist())


def _add_sun(scene: bpy.types.Scene) -> None:
    data = bpy.data.lights.new("sun", "SUN")
    data.energy, data.angle = spec.SUN_ENERGY, spec.SUN_ANGLE
    link(scene, "sun", data)  # a new lamp shines straight down


def _add_spot(scene: bpy.types.Scene) -> bpy.types.Object:
    data = bpy.data.lights.new("spot", "SPOT")
    data.energy, data.spot_size = spec.SPOT_ENERGY, spec.SPOT_CONE
    data.spot_blend, data.shadow_soft_size = spec.SPOT_BLEND, spec.SPOT_RADIUS
    return link(scene, "spot", data)


def _add_floor(scene: bpy.types.Scene) -> bpy.types.NodeSocket:
    """Add the floor and return the socket that holds its colour.

    The colour goes into a Diffuse BSDF, as Blender 5 ignores a material's `diffuse_color` when it renders.
    """
    half, height = spec.FLOOR_SIDE / 2, spec.FLOOR_HEIGHT
    corners = [(-half, -half, height), (half, -half, height), (half, half, height), (-half, half, height)]
    mesh = bpy.data.meshes.new("floor")
    mesh.from_pydata(corners, [], [(0, 1, 2, 3)])
    material, color = diffuse_material("floor")
    mesh.materials.append(material)
    link(scene, "floor", mesh)
    return color


def _centre(thing: bpy.types.Object, unit_diagonal: bool) -> None:
    points = coordinates(thing.data)
    if not np.isfinite(points).all():
        raise MeshError("it has coordinates that are not finite numbers")
    low, high = points.min(axis=0), points.max(axis=0)
    diagonal = float(np.linalg.norm(high - low))
    if diagonal == 0:
        raise MeshError("all its vertices are one point")
    if not SMALLEST < diagonal < LARGEST:
        raise MeshError(f"its bounding box has a diagonal of {diagonal:g}, which leaves no precision to scale it")
    scale = 1 / diagonal if unit_diagonal else 1.0
    thing.data.transform(Matrix.Scale(scale, 4) @ Matrix.Translation((-(low + high) / 2).tolist()))

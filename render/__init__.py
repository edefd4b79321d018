"""Rendering: object sources, the scene, Blender, the farm. Imported as iebench.render."""

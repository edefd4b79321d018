"""Rendering: object sources, the scene, Blender, and the farm that survives everything. Imported as iebench.render.

May import the dataset and what lies below it, never torch. Flat; built-in objects are `recipes_*`. Begin reading at `plan`
(from a request to a job), then `farm` (from a job to a dataset); `scene` says what a view is, only `blender`, `blender_import`
and `blender_looks` speak to bpy, and `guard` believes none of them.
"""

"""Networks: backbones, heads, predictors, losses, one file for each method, training, checkpoints. Imported as iebench.models.

May import the evaluation and what lies below it, never bpy. Flat; methods are `method_*`. Begin reading at `method`, then
`method_sie` and `training`.
"""

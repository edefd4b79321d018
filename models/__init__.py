"""Networks: backbone, heads, predictor, losses, methods, training. Imported as iebench.models."""

from iebench.models.runs import export_backbone, load

__all__ = ["export_backbone", "load"]

"""Networks: backbone, heads, predictor, losses, methods, training. Imported as iebench.models."""

"""Torch as an evaluation needs it, whatever its caller has switched on."""

from collections.abc import Iterator
from contextlib import contextmanager

import torch


@contextmanager
def torch_as_usual() -> Iterator[None]:
    """No inference mode, no autocast, and float32 by default, so that probes can train and scores do not depend on the caller.

    Lightning, for one, validates under the first two.
    """
    kind = torch.get_default_dtype()
    with torch.inference_mode(False), torch.autocast("cpu", enabled=False), torch.autocast("cuda", enabled=False):
        torch.set_default_dtype(torch.float32)
        try:
            yield
        finally:
            torch.set_default_dtype(kind)

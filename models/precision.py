"""What this machine computes with: device, memory, precision, and the plugin that gives it to Fabric."""

import ctypes
from contextlib import suppress
from pathlib import Path
from typing import Any, Literal

import torch
from lightning.fabric.plugins.precision.amp import MixedPrecision

from iebench.errors import UsageError

Precision = Literal["auto", "bf16", "16", "32"]
CPU_FLAGS = Path("/proc/cpuinfo")
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # glibc's names, malloc.h


def choose_accelerator(accelerator: str) -> str:
    """The accelerator, "cuda" or "cpu": the given one, or for "auto" CUDA if there is one.

    Raises:
        UsageError: if CUDA is chosen and absent.
    """
    if accelerator == "cuda" and not torch.cuda.is_available():
        raise UsageError(
            "--accelerator cuda: torch finds no CUDA device here; leave the option out to train on the CPU."
        )
    if accelerator != "auto":
        return accelerator
    return "cuda" if torch.cuda.is_available() else "cpu"


def keep_memory() -> None:
    """Let the C library keep what tensors on the CPU give back: the first touch of new pages costs a fifth of a step.

    Does nothing where it is not glibc (mallopt(3)).
    """
    most = 2**31 - 1
    with suppress(OSError, AttributeError):
        library = ctypes.CDLL("libc.so.6")
        for option, value in ((_TRIM_THRESHOLD, most), (_TOP_PAD, 2**26), (_MMAP_THRESHOLD, 2**25)):
            library.mallopt(option, value)


def choose_precision(precision: Precision, device: str) -> Precision:
    """The precision, "bf16", "16" or "32": the given one, or for "auto" the fastest that this machine has instructions for.

    Raises:
        UsageError: if 16 is chosen for a CPU.
    """
    if precision == "16" and device == "cpu":
        raise UsageError("--precision 16 is for CUDA devices; a CPU takes bf16 or 32.")
    if precision != "auto":
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "16"
    return "bf16" if cpu_multiplies_bf16() else "32"


def cpu_multiplies_bf16() -> bool:
    """Whether the CPU has matrix or dot-product instructions for bfloat16; emulated, it is slower than float32."""
    flags = CPU_FLAGS.read_text().split() if CPU_FLAGS.exists() else []
    return not {"avx512_bf16", "amx_bf16", "bf16"}.isdisjoint(flags)


class WideInputs(MixedPrecision):
    """Fabric's mixed precision, without its rounding of the inputs: transforms reach losses and probes with all digits."""

    def convert_input(self, data: Any) -> Any:
        """The inputs as they are."""
        return data


def precision_plugin(precision: str, device: str) -> MixedPrecision | None:
    """What Fabric needs for a precision; None for float32."""
    if precision == "bf16":
        return WideInputs("bf16-mixed", device)
    return WideInputs("16-mixed", device) if precision == "16" else None

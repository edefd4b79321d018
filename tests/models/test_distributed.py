"""Two processes of 8 pairs train as one process of 16: the same losses, gradients and batch statistics."""

import sys
from pathlib import Path

import pytest
import torch
from processes import as_here

SCRIPT = Path(__file__).parent / "global_batch.py"


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path: Path, start) -> None:
    ranks = [("one.pt", 0, 1), ("two.pt", 0, 2), ("two.pt", 1, 2)]
    processes = [start([sys.executable, SCRIPT, tmp_path / name, *of], as_here()) for name, *of in ranks]
    assert [process.wait() for process in processes] == [0, 0, 0]
    one, two = (torch.load(tmp_path / name, weights_only=True) for name in ("one.pt", "two.pt"))
    assert len(one) >= 12
    for method, values in one.items():
        assert set(two[method]) == set(values)
        for name, value in values.items():
            torch.testing.assert_close(two[method][name], value, rtol=1e-9, atol=1e-12, msg=f"{method}: {name}")

"""Two processes of 8 pairs train as one process of 16: the same losses, gradients and batch statistics."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest
import torch

SCRIPT = Path(__file__).parent / "global_batch.py"


def start(out: Path, rank: int, size: int, port: int) -> subprocess.Popen:
    process = {"RANK": str(rank), "WORLD_SIZE": str(size), "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    environment = {**os.environ, **process, "OMP_NUM_THREADS": "1", "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.Popen([sys.executable, str(SCRIPT), str(out)], env=environment)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


@pytest.mark.slow
def test_two_processes_equal_one(tmp_path: Path) -> None:
    port = free_port()
    processes = [start(tmp_path / "one.pt", 0, 1, port)]
    processes += [start(tmp_path / "two.pt", rank, 2, port) for rank in range(2)]
    assert [process.wait(timeout=120) for process in processes] == [0, 0, 0]
    one, two = (torch.load(tmp_path / name, weights_only=True) for name in ("one.pt", "two.pt"))
    assert len(one) >= 12
    for method, values in one.items():
        assert set(two[method]) == set(values)
        for name, value in values.items():
            torch.testing.assert_close(two[method][name], value, rtol=1e-9, atol=1e-12, msg=f"{method}: {name}")

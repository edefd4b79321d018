"""Two real processes that train together, killed in the middle and resumed."""

import json
import sys

import pytest
from processes import as_here, wait_until

from iebench.loader.pairs import PairDataset

TRAINING = """
import json, os, sys, time, zlib
from pathlib import Path
from torch import distributed
from iebench import PairDataset

data, folder, rank, ranks, workers, epochs, wait = sys.argv[1], Path(sys.argv[2]), *map(int, sys.argv[3:8])
distributed.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=ranks)
loader = PairDataset(data, "all", seed=4).loader(3, workers)
state = folder.parent / "state.json"
if state.exists():
    loader.load_state_dict(json.loads(state.read_text()))
step = 0
with open(folder / f"rank{rank}", "w") as log:
    while loader.epoch < epochs:
        epoch = loader.epoch
        for pair in loader:
            seen = [pair.object_index.tolist(), pair.views.tolist(), zlib.crc32(pair.target.contiguous().numpy())]
            print(json.dumps([epoch, *seen]), file=log, flush=True)
            distributed.barrier()
            step += 1
            if rank == 0:
                (folder / "state.partial").write_text(json.dumps(loader.state_dict()))
                (folder / "state.partial").rename(folder / f"state{step}")
            if step == wait:
                time.sleep(600)
distributed.destroy_process_group()
"""


@pytest.fixture
def train(drawn_dataset, tmp_path, start):
    """Start the ranks of a training that writes to a folder of its own."""

    def begin(name, ranks, workers, epochs=2, wait=0):
        (tmp_path / name).mkdir()
        words = [sys.executable, "-c", TRAINING, drawn_dataset, tmp_path / name]
        return [start([*words, rank, ranks, workers, epochs, wait], as_here()) for rank in range(ranks)]

    return begin


def read_logs(folder, ranks):
    return [[json.loads(line) for line in (folder / f"rank{rank}").read_text().splitlines()] for rank in range(ranks)]


@pytest.mark.slow
def test_two_ranks_read_each_epoch_once_and_go_on_exactly_where_they_were_killed(drawn_dataset, tmp_path, train, start):
    data = str(drawn_dataset)
    for process in train("whole", ranks=2, workers=2):
        assert process.wait() == 0
    whole = read_logs(tmp_path / "whole", 2)
    for epoch in (0, 1):
        read = [index for log in whole for seen in log if seen[0] == epoch for index in seen[1]]
        assert sorted(read) == PairDataset(data, "all").objects.tolist()
    assert [seen[1:] for seen in whole[0]][: len(whole[0]) // 2] != [seen[1:] for seen in whole[0]][
        len(whole[0]) // 2 :
    ]

    killed = train("killed", ranks=2, workers=2, wait=2)
    wait_until((tmp_path / "killed" / "state2").exists, killed[0])
    start.kill()
    for process in killed:
        process.wait()
    (tmp_path / "state.json").write_text((tmp_path / "killed" / "state2").read_text())
    for process in train("resumed", ranks=2, workers=1):
        assert process.wait() == 0
    head, tail = read_logs(tmp_path / "killed", 2), read_logs(tmp_path / "resumed", 2)
    assert [first[:2] + rest for first, rest in zip(head, tail, strict=True)] == whole

    for process in train("alone", ranks=1, workers=0, epochs=1):
        assert process.wait() == 0
    rest = [index for seen in read_logs(tmp_path / "alone", 1)[0] for index in seen[1]]
    read = [index for log in whole for seen in log[:2] for index in seen[1]]
    assert sorted(rest + read) == PairDataset(data, "all").objects.tolist()

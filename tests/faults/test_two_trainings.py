"""One run, one training: a second is refused by name, and Ctrl-C loses no step."""

import os
import signal
from dataclasses import replace

import pytest

from iebench.errors import UsageError
from iebench.models.interruption import Interruption
from iebench.models.method_vicreg import Vicreg, VicregSettings
from iebench.models.settings import TrainerSettings
from iebench.models.training import train

SETTINGS = VicregSettings(projector="8-8", backbone="crash_backbone:MeanColor")
TRAINER = TrainerSettings(steps=3, batch_size=4, size=16, num_workers=0, precision="32", accelerator="cpu")


@pytest.mark.slow
def test_a_second_training_of_a_run_is_refused(drawn_dataset, tmp_path, monkeypatch):
    """It comes from another process, after the first step of the first one."""
    told = tmp_path / "told"

    def join_in(self, progress):
        if not told.exists() and not os.fork():
            try:
                train("vicreg", SETTINGS, TRAINER, drawn_dataset, tmp_path / "run")
            except UsageError as error:
                told.write_text(str(error))
            finally:
                os._exit(0)
        if progress == 1 / 3:
            os.wait()

    monkeypatch.setattr(Vicreg, "after_step", join_in)
    train("vicreg", SETTINGS, TRAINER, drawn_dataset, tmp_path / "run")
    monkeypatch.undo()
    assert f"run is in use by another train (process {os.getpid()} on " in told.read_text()
    train("vicreg", SETTINGS, replace(TRAINER, num_workers=0), drawn_dataset, tmp_path / "run")
    assert not (tmp_path / "run" / "config.json.lock").exists()


@pytest.mark.slow
def test_what_a_killed_beginning_has_left_is_no_obstacle(drawn_dataset, tmp_path):
    (tmp_path / "config.json.partial").write_text("{")
    (tmp_path / "config.json.lock").write_text("train (process 1 on nowhere)")
    train("vicreg", SETTINGS, replace(TRAINER, steps=1), drawn_dataset, tmp_path)
    assert (tmp_path / "last.ckpt").exists()


def test_the_second_ctrl_c_ends_at_once():
    with Interruption() as interruption:
        os.kill(os.getpid(), signal.SIGINT)
        assert interruption.signal == "Ctrl-C"
        with pytest.raises(KeyboardInterrupt):
            os.kill(os.getpid(), signal.SIGINT)
    with pytest.raises(KeyboardInterrupt):
        os.kill(os.getpid(), signal.SIGINT)

"""What a training shows and writes while it runs; only the first process does, all of them take part in the means."""

from pathlib import Path

from torch import Tensor

from iebench.models.advice import advise_on_collapse
from iebench.models.distributed import mean_over_processes
from iebench.models.loggers import LoggedRun
from iebench.models.run_log import Averages, Clock, RunLog, peak_memory_mib
from iebench.models.session import Session
from iebench.progress import Progress


class Reporter:
    """The progress, `metrics.csv` and loggers of a training that starts at a step.

    Attributes:
        clock: is told of waits and pauses by the loop.
    """

    def __init__(self, session: Session, out: Path, step: int) -> None:
        self.session = session
        run = LoggedRun(out, step, session.config.to_json())
        self.log = RunLog(run, session.trainer.log) if session.fabric.is_global_zero else None
        self.progress = Progress("train", session.num_steps, "step", shown=self.log is not None)
        self.progress.skip(step)
        self.averages, self.clock = Averages(), Clock()

    def is_due(self, step: int) -> bool:
        """Whether metrics are written after a step."""
        return step % self.session.trainer.log_every == 0 or step == self.session.num_steps

    def take_in(self, step: int, terms: dict[str, Tensor], scores: dict[str, Tensor]) -> None:
        """One step's terms and scores; writes the means if they are due."""
        self.clock.steps += 1
        self.averages.add({f"train/{name}": term for name, term in terms.items()} | scores)
        self.progress.add(note=self._report(step) if self.is_due(step) else "")

    def write(self, step: int, values: dict[str, float]) -> None:
        """Write metrics down."""
        if self.log:
            self.log.write(step, values)

    def warn(self, sentence: str) -> None:
        """Say what is wrong with the training, above the bar."""
        if self.log:
            self.progress.tell(f"Warning: {sentence}")

    def close(self) -> None:
        """End the progress and flush the logs."""
        self.progress.close()
        if self.log:
            self.log.close()

    def _report(self, step: int) -> str:
        """Write the means since the last time; returns what is told of them."""
        means = {name: value.item() for name, value in mean_over_processes(self.averages.take()).items()}
        rates = self.clock.take(self.session.images_per_step)
        memory = peak_memory_mib(self.session.fabric.device)
        rest = {"learning_rate": self.session.learning_rate(step - 1), "memory_mib": memory}
        self.write(step, {**means, **rates, **rest})
        self._look_for_collapse(step, means)
        return f"loss {means['train/loss']:.4f}, {rates['images_per_second']:.0f} images/s"

    def _look_for_collapse(self, step: int, means: dict[str, float]) -> None:
        """Warn once, where a tenth of the training is over."""
        tenth = self.session.num_steps // 10
        if step - self.session.trainer.log_every < tenth <= step:
            sentence = advise_on_collapse(means, self.session.trainer.batch_size)
            if sentence:
                self.warn(sentence)

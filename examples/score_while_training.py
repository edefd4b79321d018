"""Trains a network with Lightning to see the same in two views of an object, and scores it on the way.

    iebench render --preset mini --classes 10 --objects-per-class 40 --out data/ten
    python examples/score_while_training.py data/ten

Every second epoch the class and the relative rotation are read from the backbone by quick probes: lightning_logs/ has the curves.
"""

import sys

import lightning.pytorch as pl
import torch
from torch import nn

from iebench import PairDataset
from iebench.callbacks import ScoreOnIebench
from iebench.models.backbones import build_backbone
from iebench.models.losses import covariance, variance
from iebench.models.normalisation import Normalisation


class SameInBoth(pl.LightningModule):
    """VICReg: the embeddings of two views agree, vary among objects, and say nothing twice."""

    def __init__(self) -> None:
        super().__init__()
        self.normalise = Normalisation()
        self.backbone = build_backbone("resnet18-narrow")
        self.projector = nn.Sequential(nn.Linear(256, 256), nn.BatchNorm1d(256), nn.ReLU(), nn.Linear(256, 256))

    def training_step(self, pair, _):
        """The loss of a batch of pairs."""
        source, target = (self.projector(self.backbone(self.normalise(view))) for view in (pair.source, pair.target))
        loss = 25 * (source - target).square().mean()
        for embedding in (source, target):
            loss = loss + 25 * variance(embedding) + covariance(embedding)
        self.log("loss", loss, batch_size=len(source))
        return loss

    def configure_optimizers(self):
        """Adam."""
        return torch.optim.Adam(self.parameters(), lr=1e-3)


if __name__ == "__main__":
    data = sys.argv[1]
    epochs = int(sys.argv[2]) if len(sys.argv) > 2 else 20
    score = ScoreOnIebench(data, every_n_epochs=2, max_objects=400)
    trainer = pl.Trainer(max_epochs=epochs, callbacks=[score], log_every_n_steps=1, enable_checkpointing=False)
    trainer.fit(SameInBoth(), PairDataset(data).loader(batch_size=64, num_workers=2))
    for name, value in trainer.callback_metrics.items():
        print(f"{name:40} {value:.3f}")

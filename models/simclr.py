"""SimCLR (Chen et al., ICML 2020) on pairs of views, and the contrast of prediction and target after SEN."""

from dataclasses import dataclass

from torch import Tensor, nn

from iebench.loader.multiview import Pair
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes, projector
from iebench.models.losses import Embeddings, info_nce
from iebench.models.method import InvariantMethod, Loss, Method, Representations, Sizes
from iebench.models.settings import MethodSettings, setting
from iebench.models.sie import PredictorSettings


@dataclass(frozen=True)
class SimclrSettings(MethodSettings):
    """The setting of the SIE paper."""

    projector: str = setting("2048-2048-2048", "Sizes of the projector's layers.")
    temperature: float = setting(0.1, "Divides the cosines of the contrast.")
    invariance_weight: float = setting(1.0, "Weight of the contrast between the two views.")


@dataclass(frozen=True)
class SimclrEquivariantSettings(PredictorSettings):
    """The setting of the SIE paper, there called SEN."""

    projector: str = setting("2048-2048-2048", "Sizes of the projector's layers.")
    temperature: float = setting(0.1, "Divides the cosines of the contrast.")
    equivariance_weight: float = setting(1.0, "Weight of the contrast between prediction and target.")


class Simclr(InvariantMethod):
    """The two views of an object find each other among all views of the batch."""

    def objective(self, source: Representations, target: Representations, pair: Pair) -> Loss:
        source, target = gather(self.embed(source)), gather(self.embed(target))
        return self.weigh({"invariance": info_nce(source, target, self.settings.temperature)})


class SimclrEquivariant(Method):
    """The prediction and the target find each other among all predictions and targets of the batch.

    After the symmetric embedding network of Park et al., ICML 2022, in the form that the SIE paper compares with.
    """

    def __init__(self, settings: SimclrEquivariantSettings, backbone: nn.Module, sizes: Sizes) -> None:
        super().__init__(settings, backbone, sizes)
        layers = parse_sizes(settings.projector)
        self.parts = {"equivariant": slice(0, sizes.representation)}
        self.embedding_parts = {"equivariant": slice(0, layers[-1])}
        self.projector = projector(sizes.representation, layers)
        self.predictor = settings.build_predictor(layers[-1], sizes.transform)

    def embed(self, representation: Representations) -> Embeddings:
        return self.projector(representation)

    def predict(self, embedding: Embeddings, transform: Tensor) -> Embeddings:
        """The target's embedding, from the source's."""
        return self.predictor(embedding, transform)

    def objective(self, source: Representations, target: Representations, pair: Pair) -> Loss:
        prediction = gather(self.predict(self.embed(source), pair.transform))
        target = gather(self.embed(target))
        return self.weigh({"equivariance": info_nce(prediction, target, self.settings.temperature)})

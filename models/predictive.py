"""Methods with a predictor: the target's equivariant embedding from the source's and the transform."""

from abc import abstractmethod
from typing import TypeVar

from jaxtyping import Float
from torch import Tensor, nn

from iebench.loader.multiview import Views
from iebench.models.distributed import gather
from iebench.models.heads import parse_sizes
from iebench.models.losses import Embeddings
from iebench.models.method import Representations, TwoViewMethod, WeighedTerms
from iebench.models.predictors import PredictorSettings, build_predictor

Predicted = Float[Tensor, "batch equivariant"]
WithPredictor = TypeVar("WithPredictor", bound=PredictorSettings)


class PredictiveMethod(TwoViewMethod[WithPredictor]):
    """A method that embeds both views, predicts the target's equivariant embedding, and compares.

    Attributes:
        predictor: from the equivariant part of a source's embedding and the transform to that of the target's.
    """

    predictor: nn.Module

    def make_predictor(self, size: int) -> nn.Module:
        """The predictor of the settings, of equivariant embeddings of `size` coordinates."""
        told = self.settings
        hidden = parse_sizes(told.predictor_hidden)
        return build_predictor(
            told.predictor, size, self.sizes.transform, hidden, told.predictor_bias, told.transform_width
        )

    def predict(self, embedding: Embeddings, transform: Float[Tensor, "batch t"]) -> Predicted:
        """The equivariant part of the target's embedding, from the source's whole embedding."""
        return self.predictor(embedding[:, self.embedding_parts["equivariant"]], transform)

    def objective(self, source: Representations, target: Representations, views: Views) -> WeighedTerms:
        """The terms of both embeddings and the prediction, over the global batch."""
        local_source, local_target = self.embed(source), self.embed(target)
        prediction = gather(self.predict(local_source, views.transforms[:, 0]))
        return self.weigh(self.terms(gather(local_source), gather(local_target), prediction))

    @abstractmethod
    def terms(self, source: Embeddings, target: Embeddings, prediction: Predicted) -> dict[str, Tensor]:
        """The terms of the loss over the global batch, from whole embeddings and the prediction of the equivariant part."""

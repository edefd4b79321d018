import torch

from iebench.evals.features import extract
from iebench.evals.source import DatasetSource
from iebench.loader.views import ViewDataset


def test_views_come_in_order_and_from_any_start(drawn_dataset):
    whole = torch.stack([view.image for view in ViewDataset(drawn_dataset, "val")])
    source = DatasetSource(drawn_dataset, batch_size=3)
    assert torch.equal(torch.cat(list(source.images("val"))), whole)
    assert torch.equal(torch.cat(list(source.images("val", start=5))), whole[5:])


def test_features_lie_beside_their_latents(drawn_dataset):
    source = DatasetSource(drawn_dataset)
    features = extract(lambda images: images.float().mean((2, 3)), source, "val")
    single = ViewDataset(drawn_dataset, "val")[source.latents.shape[1] + 1]  # object 1, view 1
    assert torch.allclose(torch.from_numpy(features.values[1, 1]), single.image.float().mean((1, 2)))
    assert features.labels[1] == single.label
    assert features.objects[1] == single.object_index


def test_identity_tells_data_and_size_apart(drawn_dataset, make_dataset):
    other = make_dataset(seed=1)
    identities = {DatasetSource(drawn_dataset).identity, DatasetSource(other.root).identity}
    assert len(identities | {DatasetSource(drawn_dataset, size=16).identity}) == 3
    assert DatasetSource(drawn_dataset).identity in identities

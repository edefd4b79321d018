import numpy as np
import pytest
import torch

from iebench.errors import UsageError
from iebench.evals.eval_dataset import StoredDataset, open_eval_dataset
from iebench.evals.representations import extract
from iebench.loader.views import ViewDataset


def test_views_come_in_order_and_from_any_start(drawn_dataset):
    whole = torch.stack([view.image for view in ViewDataset(drawn_dataset, "val")])
    dataset = StoredDataset(drawn_dataset, batch_size=3)
    assert torch.equal(torch.cat(list(dataset.images("val"))), whole)
    assert torch.equal(torch.cat(list(dataset.images("val", start=5))), whole[5:])


def test_representations_lie_beside_their_latents(drawn_dataset):
    dataset = StoredDataset(drawn_dataset)
    found = extract(lambda images: images.float().mean((2, 3)), dataset, "val")
    single = ViewDataset(drawn_dataset, "val")[dataset.latents.shape[1] + 1]  # object 1, view 1
    assert torch.allclose(torch.from_numpy(found.values[1, 1]), single.image.float().mean((1, 2)))
    assert found.labels[1] == single.label
    assert found.objects[1] == single.object_index


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"labels": lambda old: old + 55}, "labels"),
        ({"labels": lambda old: old / 2}, "labels"),
        ({"latents": lambda old: old[..., :5]}, "7 factors"),
        ({"latents": lambda old: old * np.nan}, "finite"),
        ({"latents": lambda old: old[:-1]}, "60 objects"),
    ],
)
def test_what_somebodys_dataset_cannot_be_scored_by_is_refused(fake, change, words):
    dataset = fake()
    for name, made in change.items():
        setattr(dataset, name, made(getattr(dataset, name)))
    with pytest.raises(UsageError, match=words):
        open_eval_dataset(dataset)


def test_labels_may_be_any_whole_numbers(fake):
    dataset = fake()
    dataset.labels = dataset.labels.astype(np.uint8)
    found = extract(lambda images: images.float().mean((2, 3)), open_eval_dataset(dataset), "val")
    assert found.labels.dtype == np.int64


def test_identity_tells_data_and_size_apart(drawn_dataset, make_dataset):
    other = make_dataset(seed=1)
    identities = {StoredDataset(drawn_dataset).identity, StoredDataset(other.root).identity}
    assert len(identities | {StoredDataset(drawn_dataset, size=16).identity}) == 3
    assert StoredDataset(drawn_dataset).identity in identities

"""Evaluating whatever somebody has: what its representations are cached under, and what its untrained twin is."""

import sys
from contextlib import contextmanager
from functools import partial

import numpy as np
import pytest
import torch
from torch import nn

import iebench
from iebench.errors import IebenchError, UsageError
from iebench.evals.eval_dataset import StoredDataset
from iebench.evals.evaluator import Detail, Evaluator, Score
from iebench.evals.model import Model
from iebench.evals.registry import find_evaluators
from iebench.evals.results import Results
from iebench.evals.settings import RANDOM_INIT
from iebench.evals.tasks.knn import NearestNeighbors
from iebench.evals.tasks.rotation import Rotation
from iebench.factors.rotations import compose, euler_to_quaternion, quaternion_to_euler
from iebench.factors.space import ROTATION
from iebench.models.backbones import build_backbone
from iebench.models.candidates import hash_weights, prepare
from iebench.models.networks import wrap_network
from iebench.models.untrained import untrained_twin

QUICK = {"epochs": 2, "tasks": "classification", "device": "cpu", "num_workers": 0}


def make_network() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 6))


class WithToken(nn.Module):
    def __init__(self):
        super().__init__()
        self.token = nn.Parameter(torch.arange(6.0))
        self.layer, self.norm = nn.Linear(6, 6), nn.BatchNorm1d(6)

    def forward(self, images):
        return self.norm(self.layer(images.mean((2, 3)).repeat(1, 2) + self.token))


def test_hashes_tell_weights_and_structure_apart():
    first, second = make_network(), make_network()
    assert hash_weights(first) != hash_weights(second)
    second.load_state_dict(first.state_dict())
    assert hash_weights(first) == hash_weights(second)
    second[1] = nn.Sigmoid()
    assert hash_weights(first) != hash_weights(second)
    with torch.no_grad():
        first[0].weight[0, 0, 0, 0] += 1e-6
    assert hash_weights(first) != hash_weights(make_network())


class Scaled(nn.Module):
    def __init__(self, mode="mean", powers=(1, 2), mean=0.5, activation=torch.relu, scale=2, curve=(0, 1), adapter=""):
        super().__init__()
        self._adapter, self.curve = adapter, np.array(curve)
        self.mode, self.powers, self.activation, self.options = mode, powers, activation, {"scale": scale}
        self.register_buffer("mean", torch.tensor([mean]), persistent=False)
        self.plain = torch.tensor([mean])


def test_what_somebodys_modules_hold_beside_weights_tells_them_apart():
    """Same classes, same weights, another function: representations of the one are not those of the other."""
    others = (
        {"mode": "max"},
        {"powers": (1, 3)},
        {"mean": 0.25},
        {"scale": 3},
        {"activation": lambda x: x + 1},
        {"activation": lambda x: x + 2},
        {"activation": torch.tanh},
        {"curve": (0, 2)},
        {"adapter": "styles"},
    )
    hashes = {hash_weights(nn.Sequential(Scaled(**one))) for one in ({}, *others)}
    assert len(hashes) == 10 and hash_weights(nn.Sequential(Scaled().eval())) in hashes


def test_tensors_without_bytes_of_their_own_are_told_apart():
    """A sparse graph, and a lazily conjugated filter, as modules hold them."""

    def hold(value):
        network = Scaled()
        network.graph, network.wave = (value * torch.eye(3)).to_sparse(), torch.tensor([1 + value * 1j]).conj()
        return network

    assert hash_weights(hold(1.0)) == hash_weights(hold(1.0)) != hash_weights(hold(2.0))


def test_the_untrained_twin_has_learned_nothing():
    network = WithToken()
    network(torch.randn(16, 3, 4, 4))
    twin = untrained_twin(network)
    assert sorted(twin.token.tolist()) == network.token.tolist() and not torch.equal(twin.token, network.token)
    assert not torch.equal(twin.layer.weight, network.layer.weight)
    assert twin.norm.num_batches_tracked == 0 and network.norm.num_batches_tracked == 1
    assert torch.equal(twin.layer.weight, untrained_twin(network).layer.weight), "the same seed draws the same"


def test_a_function_that_loads_its_own_weights_has_a_key_and_a_twin_of_its_own(tmp_path, monkeypatch):
    torch.save(make_network().state_dict(), tmp_path / "weights.pth")
    (tmp_path / "loading.py").write_text(
        "import torch\nfrom torch import nn\n\n\ndef pretrained():\n"
        "    net = nn.Sequential(nn.Conv2d(3, 8, 5, 4), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 6))\n"
        f"    net.load_state_dict(torch.load({str(tmp_path / 'weights.pth')!r}))\n    return net\n"
    )
    monkeypatch.syspath_prepend(tmp_path)
    candidate = prepare("loading:pretrained")
    torch.save(make_network().state_dict(), tmp_path / "weights.pth")
    other = prepare("loading:pretrained")
    assert candidate.model.key != other.model.key
    images = torch.randint(0, 256, (4, 3, 32, 32), dtype=torch.uint8)
    assert not torch.allclose(other.model.represent(images), other.untrained(images))
    sys.modules.pop("loading")


def test_a_module_and_a_function_are_evaluated_alike(drawn_dataset):
    torch.manual_seed(0)
    network = make_network()
    by_module = iebench.evaluate(network, drawn_dataset, **QUICK)
    represent = prepare(network).model.represent
    by_function = iebench.evaluate(represent, drawn_dataset, **QUICK)
    assert by_module.scores.to_json() == by_function.scores.to_json()
    assert RANDOM_INIT in by_module.baselines and RANDOM_INIT not in by_function.baselines


@contextmanager
def float64_by_default():
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(torch.float32)


@pytest.mark.parametrize(
    "state", [torch.inference_mode, partial(torch.autocast, "cpu", torch.bfloat16), float64_by_default]
)
def test_scores_do_not_depend_on_what_the_caller_has_switched_on(drawn_dataset, state):
    """Lightning validates in inference mode and under autocast."""
    network = make_network()
    told = {**QUICK, "tasks": ("knn", "classification", "rotation-linear"), "baselines": ("random init",)}
    plain = iebench.evaluate(network, drawn_dataset, **told)
    with state():
        found, kind = iebench.evaluate(network, drawn_dataset, **told), torch.zeros(0).dtype
    assert found.scores.to_json() == plain.scores.to_json()
    assert found.baselines["random init"].to_json() == plain.baselines["random init"].to_json()
    assert kind == (torch.float64 if state is float64_by_default else torch.float32)


@pytest.mark.usefixtures("unchecked")
@pytest.mark.parametrize(
    "images", [torch.rand(2, 3, 8, 8), torch.rand(2, 8, 8, 3).byte(), np.zeros((2, 3, 8, 8), "u1")]
)
def test_what_is_no_image_is_refused_by_a_network(images):
    with pytest.raises(UsageError, match="uint8 tensors"):
        wrap_network(make_network(), "own")(images)


def test_a_network_is_left_as_it_was(drawn_dataset):
    network = make_network()
    network[0].eval()  # as somebody has it who trains the rest
    iebench.evaluate(network, drawn_dataset, baselines="none", **QUICK)
    assert [module.training for module in network.modules()] == [True, False, True, True, True, True]
    with pytest.raises(UsageError):
        iebench.evaluate(network, drawn_dataset, **{**QUICK, "tasks": "rotaton"})
    assert network.training


@pytest.mark.slow
def test_scores_of_other_tasks_are_kept_or_refused(drawn_dataset, make_dataset, tmp_path):
    network, out = make_network(), tmp_path / "out"
    both = {**QUICK, "tasks": "classification,rotation"}
    whole = iebench.evaluate(network, drawn_dataset, out=tmp_path / "whole", **both)
    for task in ("rotation", "classification", "rotation"):  # the last one once more
        joined = iebench.evaluate(network, drawn_dataset, out=out, **{**QUICK, "tasks": task})
    assert (out / "results.json").read_bytes() == (tmp_path / "whole/results.json").read_bytes()
    assert joined.get("classification/whole/top1") == whole.get("classification/whole/top1")
    other = make_network()
    for model, data, settings, difference in (
        (other, drawn_dataset, {}, "protocol weights"),
        (network, drawn_dataset, {"epochs": 3}, "protocol probes epochs 2, now 3"),
        (network, make_dataset("other", num_views=3).root, {}, "data"),
        (lambda images: images.float().mean((2, 3)), drawn_dataset, {}, "a function"),
    ):
        with pytest.raises(UsageError, match=rf"scores of rotation that would be lost.*\({difference}.*another --out"):
            iebench.evaluate(model, data, out=out, **{**QUICK, **settings})
        assert (out / "results.json").read_bytes() == (tmp_path / "whole/results.json").read_bytes()
    iebench.evaluate(other, drawn_dataset, out=out, **both)  # nothing is lost that was not scored anew
    (out / "results.json").write_text("{")
    assert iebench.evaluate(other, drawn_dataset, out=out, **QUICK).get("rotation/whole/r2_pooled") is None
    (out / "results.json").write_text('{"format": 99}')
    with pytest.raises(UsageError, match=r"written by another iebench.*remove it first"):
        iebench.evaluate(other, drawn_dataset, out=out, **QUICK)


def test_a_predictor_on_single_views_is_scored_without_pictures_of_pairs(make_dataset, tmp_path):
    data = make_dataset(num_views=1)
    model = Model(
        prepare(make_network()).model.represent,
        embed=lambda vectors: vectors,
        predict=lambda embedding, transform: embedding,
    )
    results = iebench.evaluate(model, data.root, out=tmp_path, baselines=(), **{**QUICK, "tasks": "all"})
    assert results.get("classification/whole/top1") is not None
    assert (tmp_path / "results.json").exists() and not (tmp_path / "gallery.npz").exists()


def test_a_mistyped_run_and_weights_without_a_name_are_told(drawn_dataset, tmp_path):
    with pytest.raises(UsageError, match="neither a run nor one of resnet18"):
        iebench.evaluate("runs/sei", drawn_dataset)
    with pytest.raises(UsageError, match="given by its name"):
        iebench.evaluate(make_network(), drawn_dataset, weights=tmp_path / "w.pth")


def test_our_networks_twins_are_drawn_as_they_are_when_new():
    torch.manual_seed(0)
    fresh = build_backbone("resnet18-narrow")
    candidate = prepare("resnet18-narrow")
    images = torch.randint(0, 256, (2, 3, 32, 32), dtype=torch.uint8)
    assert torch.equal(candidate.model.represent(images), candidate.untrained(images))
    assert candidate.model.key == hash_weights(fresh)


@pytest.mark.slow
def test_a_run_is_evaluated_from_python_as_from_the_command_line(drawn_dataset, make_dataset, tmp_path, capsys):
    from click.testing import CliRunner

    from iebench.cli.main import cli

    settings = "--projector 32-32 --steps 2 --batch-size 8 --num-workers 0 --precision 32 --accelerator cpu"
    words = ["train", "sie", "--data", str(drawn_dataset), "--out", str(tmp_path / "sie"), *settings.split()]
    assert CliRunner().invoke(cli, words, standalone_mode=False).exception is None
    words = ["eval", str(tmp_path / "sie"), "--data", str(drawn_dataset), "--epochs", "1", "--device", "cpu"]
    assert CliRunner().invoke(cli, words, standalone_mode=False).exception is None
    results = iebench.evaluate(tmp_path / "sie", drawn_dataset, epochs=1, device="cpu", out=tmp_path / "again")
    assert (tmp_path / "again/results.json").read_text() == (tmp_path / "sie/results.json").read_text()
    assert results.get("retrieval/val-val/mrr") > 0
    method = iebench.load(tmp_path / "sie")
    again = iebench.evaluate(method, drawn_dataset, epochs=1, device="cpu")
    assert again.scores.to_json() == results.scores.to_json()
    assert "another dataset" not in capsys.readouterr().err
    iebench.evaluate(tmp_path / "sie", make_dataset(seed=1).root, **QUICK)
    assert "Warning: the run has learned from another dataset (drawn); where objects of val" in capsys.readouterr().err


@pytest.mark.parametrize("angles", [{"rotation_x": 0.4}, {"rotation_z": 0.0}, {"floor_hue": 0.2}, {}])
def test_a_sweep_turns_objects_about_their_z_axes(drawn_dataset, angles):
    """A turn about another axis, none, one in which the floor changes too, and independent draws."""
    sweep = Turned(drawn_dataset, angles) if angles else drawn_dataset
    with pytest.raises(UsageError, match="views of sweep do more, or other, than turn about the objects' z axes"):
        iebench.evaluate(make_network(), drawn_dataset, **QUICK, sweep=sweep)


def test_any_turn_about_the_objects_z_axis_is_a_sweep(drawn_dataset):
    """Also of objects that lean, whose three angles all change."""
    upright = Turned(drawn_dataset, {})
    assert iebench.evaluate(make_network(), drawn_dataset, **QUICK, sweep=upright).scores.scores
    leaning = Turned(drawn_dataset, {})
    columns = leaning.space.columns(ROTATION)
    turns = euler_to_quaternion(leaning.latents[..., columns])
    leaning.latents[..., columns] = quaternion_to_euler(compose(euler_to_quaternion(np.array([0.5, -0.3, 0.1])), turns))
    assert np.ptp(leaning.latents[..., columns], axis=1).min() > 0.01
    assert iebench.evaluate(make_network(), drawn_dataset, **QUICK, sweep=leaning).scores.scores


class Turned(StoredDataset):
    """A dataset whose views turn about the z axis by steps of 0.1, or do something else."""

    def __init__(self, path, change):
        super().__init__(path)
        self.latents = np.full_like(np.asarray(self.latents), 0.0)
        steps = np.arange(self.latents.shape[1])
        for name, step in ({"rotation_z": 0.1} | change).items():
            self.latents[..., self.space.columns([name])[0]] = step * steps


class Nameless(Evaluator):
    def run(self, context):
        yield Score("x/whole/y", 0.5)


class Told(Evaluator):
    """An evaluator that yields one thing."""

    name = "told"

    def __init__(self, found):
        self.found = found

    def run(self, context):
        yield self.found


@pytest.mark.usefixtures("unchecked")
def test_numbers_of_numpy_and_torch_are_written_as_pythons(drawn_dataset, tmp_path):
    """Where they were not, everything had been computed when it was told."""
    told = {np.int64(3): np.float32(0.5), "rows": np.arange(3), "mean": torch.tensor(2.0)}
    tasks = (Told(Detail("told/whole/found", told)), NearestNeighbors(k=np.int64(3)))
    settings = {**QUICK, "tasks": tasks, "epochs": np.int64(2), "batch_size": np.int64(8), "size": np.int64(16)}
    iebench.evaluate(mean_color, drawn_dataset, **settings, out=tmp_path)
    found = Results.read(str(tmp_path))
    assert found.details["told/whole/found"] == {"3": 0.5, "rows": [0, 1, 2], "mean": 2.0}
    assert found.details["knn/settings"]["k"] == 3 and found.data["evaluated_size"] == 16


def mean_color(images):
    return images.float().mean((2, 3)) / 255


@pytest.mark.parametrize(
    ("model", "settings", "words"),
    [
        (lambda images: (mean_color(images), 1), {}, "gives a tuple"),
        (lambda images: mean_color(images).to(torch.complex64), {}, "real numbers"),
        (lambda images: mean_color(images) * 1e6, {"half": True}, "leave out --half"),
        (
            Model(mean_color, lambda x: x, predict=lambda e, t: e * float("nan")),
            {"tasks": "retrieval"},
            "predictor gives",
        ),
        (Model(mean_color, lambda x: x, predict=lambda e, t: (e, t)), {"tasks": "retrieval"}, "gives a tuple"),
        (Model(mean_color, lambda x: x, predict=lambda e, t: e.repeat(1, 2)), {"tasks": "retrieval"}, "6 numbers for"),
        (Model(mean_color, parts={"more": slice(1, 99)}), {}, "The part 'more'"),
        (Model(mean_color, parts={"odd": slice(0, 3, 2)}), {}, "The part 'odd'"),
        (Model(mean_color, parts={"whole": slice(0, 1)}), {}, "another name"),
        (nn.Flatten(), {"dtype": torch.float16}, "did you mean 'float16'"),
        (mean_color, {"seeds": [0, 1]}, "seeds=.* whole number"),
        (mean_color, {"size": 24.0}, "size=24.0: give a whole number"),
        (mean_color, {"tasks": (Told("a score"),)}, "yields a str"),
        (mean_color, {"tasks": (Nameless,)}, "has no name"),
        (mean_color, {"tasks": "retrieval"}, "nothing to score"),
        (mean_color, {"tasks": ()}, "nothing to score"),
        (mean_color, {"seeds": 0}, "no seed"),
        (mean_color, {"epochs": 0}, "epochs=0"),
        (mean_color, {"baselines": "constnt"}, "did you mean 'constant'"),
        (nn.Linear, {}, "not its class"),
        (None, {}, "None cannot be evaluated"),
    ],
)
@pytest.mark.usefixtures("unchecked")
def test_what_cannot_be_evaluated_is_told_in_a_sentence(drawn_dataset, model, settings, words):
    with pytest.raises(IebenchError, match=words):
        iebench.evaluate(model, drawn_dataset, **{**QUICK, "baselines": (), **settings})


@pytest.mark.usefixtures("unchecked")
def test_data_is_a_place_a_dataset_or_refused(drawn_dataset, tmp_path):
    dataset = iebench.Dataset(drawn_dataset)
    first, second = (iebench.evaluate(mean_color, data, **QUICK) for data in (drawn_dataset, dataset))
    assert first.scores.to_json() == second.scores.to_json()
    for wrong in (None, iebench.PairDataset(drawn_dataset)):
        with pytest.raises(UsageError, match="cannot be evaluated on"):
            iebench.evaluate(mean_color, wrong, **QUICK)
    (tmp_path / "file").touch()
    with pytest.raises(UsageError, match="is a file"):
        iebench.evaluate(mean_color, dataset, **QUICK, out=tmp_path / "file")


def test_evaluators_may_be_given_themselves_and_count_once():
    assert [type(e) for e in find_evaluators((Rotation, Rotation(), "rotation"))] == [Rotation]

    class Other(Rotation):
        pass

    with pytest.raises(UsageError, match="Two evaluators are named 'rotation'"):
        find_evaluators((Rotation, Other))


def test_the_code_of_a_network_is_a_part_of_its_key(tmp_path, monkeypatch):
    keys = set()
    monkeypatch.syspath_prepend(tmp_path)
    for number in range(2):
        (tmp_path / f"code{number}.py").write_text(
            "from torch import nn\n\n\nclass Net(nn.Module):\n"
            f"    def forward(self, x):\n        return x.mean((2, 3)) * {number}\n"
        )
        keys.add(prepare(f"code{number}:Net").model.key)
    assert len(keys) == 2

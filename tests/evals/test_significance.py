"""The comparison of two methods: known answers, and how often it is wrong where there is nothing to find."""

from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from iebench.errors import UsageError
from iebench.evals import EvalSettings, Model, ProbeSettings, run_suite
from iebench.evals.results import Results, ScoreBook, SeedScores
from iebench.evals.significance import compare_errors, compare_methods


def draw_runs(rng, runs, objects, shift=0.0, seed_noise=0.05):
    """Errors whose runs differ by luck, on objects that are hard or easy for all."""
    hard = np.linspace(0, 1, objects)
    luck = rng.normal(0, seed_noise, (runs, 1))
    return shift + hard + luck + rng.normal(0, 0.1, (runs, objects))


def test_single_runs_are_a_paired_t_test():
    rng = np.random.default_rng(0)
    first, second = rng.normal(0, 1, (1, 40)), rng.normal(0.3, 1, (1, 40))
    found, expected = compare_errors("x", first, second), stats.ttest_rel(second[0], first[0])
    assert found.p_value == pytest.approx(expected.pvalue)
    assert (found.low, found.high) == pytest.approx(tuple(expected.confidence_interval(0.95)))


def test_luck_of_the_seeds_is_not_taken_for_a_difference():
    rng = np.random.default_rng(1)
    found = [compare_errors("x", draw_runs(rng, 3, 400), draw_runs(rng, 3, 400)) for _ in range(400)]
    assert np.mean([each.p_value < 0.05 for each in found]) < 0.08  # over objects alone it would be 0.85
    assert np.mean([each.low <= 0 <= each.high for each in found]) > 0.92


@pytest.mark.parametrize("runs", [(1, 5), (5, 1)])
def test_luck_of_a_single_run_is_not_taken_for_a_difference(runs):
    rng = np.random.default_rng(4)
    found = [compare_errors("x", *(draw_runs(rng, count, 100, 0, 0.1) for count in runs)) for _ in range(400)]
    assert 0.02 < np.mean([each.p_value < 0.05 for each in found]) < 0.08  # with its seed as fixed it would be 0.2
    assert "taken to vary with its seed as the others do" in found[0].describe()


def test_one_object_is_no_comparison():
    with pytest.raises(UsageError, match="errors of one object"):
        compare_errors("x", np.ones((3, 1)), np.zeros((3, 1)))


@pytest.mark.parametrize("trade_off", [-1.0, 1.0])
def test_parts_of_the_same_runs_are_not_taken_for_independent(trade_off):
    """Where one part is lucky as the other is unlucky, runs differ more than two independent groups would, and the reverse."""
    rng = np.random.default_rng(3)
    wrong = []
    for _ in range(400):
        luck = rng.normal(0, 0.05, (3, 1))
        first, second = (sign * luck + rng.normal(0, 0.1, (3, 400)) for sign in (1.0, trade_off))
        wrong.append(compare_errors("x", first, second, same_runs=True).p_value < 0.05)
    assert 0.01 < np.mean(wrong) < 0.09


def test_a_difference_beyond_luck_is_found():
    rng = np.random.default_rng(2)
    found = compare_errors("x", draw_runs(rng, 3, 400, shift=-0.1, seed_noise=0.01), draw_runs(rng, 3, 400, 0, 0.01))
    assert found.p_value < 0.01
    assert found.low < 0.1 < found.high


def results(method, errors, data="mini"):
    details = {"rotation/whole/errors_by_object": {str(i): error for i, error in enumerate(errors)}}
    parts = {"invariant": [0, 1], "equivariant": [1, 2]}
    protocol = {"probes": {"epochs": 1}}
    return Results(method, method, {}, {"name": data}, protocol, {}, parts, ScoreBook({}), {}, details)


def test_methods_are_found_by_their_names():
    runs = [results("vicreg", [1.0, 0.8]), results("simclr", [0.5, 0.1])]
    (found,) = compare_methods(runs, "simclr", "vicreg")
    assert (found.score, found.objects, found.runs) == ("rotation/whole", 2, (1, 1))
    assert found.difference == pytest.approx(0.6)
    with pytest.raises(UsageError, match=r"no 'simclrr'.*did you mean 'simclr'"):
        compare_methods(runs, "simclrr", "vicreg")
    with pytest.raises(UsageError, match="simclr has no part 'both': it has whole, invariant, equivariant"):
        compare_methods(runs, "simclr:both", "vicreg")
    longer = results("simclr", [0.5, 0.1])
    longer.training = {"trainer": {"steps": 9}}
    with pytest.raises(UsageError, match="runs of simclr differ in more than their seed"):
        compare_methods([*runs, longer], "simclr", "vicreg")
    twice = [replace(runs[1], protocol={"probes": {"epochs": 1}, "weights": "a"})] * 2
    with pytest.raises(UsageError, match="Two results of simclr are of the same seed or weights"):
        compare_methods([runs[0], *twice], "simclr", "vicreg")
    assert compare_methods(runs, "simclr:whole", "vicreg")[0].score == "rotation/whole"
    turned = replace(runs[1], training={"method_settings": {"transform": "rotation"}})  # its retrieval was not scored
    for name in ("simclr", "simclr (rotation)", "simclr (rotation):whole"):
        assert compare_methods([runs[0], turned], name, "vicreg")[0].runs == (1, 1)
    with pytest.raises(UsageError, match="simclr and simclr:whole are the same: name two methods"):
        compare_methods(runs, "simclr", "simclr:whole")
    with pytest.raises(UsageError, match="different datasets"):
        compare_methods([runs[0], results("simclr", [0, 1], "other")], "simclr", "vicreg")


def test_a_run_that_was_scored_in_fewer_tasks_is_a_run_of_its_method():
    settings = {"method_settings": {"transform": "rotation"}}
    runs = [replace(results("sie", [0.2, 0.3]), training={**settings, "trainer": {"seed": seed}}) for seed in (0, 1)]
    runs[0].scores = ScoreBook({"retrieval/val-val/mrr": SeedScores([0.5])})
    (found,) = compare_methods([*runs, results("vicreg", [1.0, 0.8])], "sie (rotation)", "vicreg")
    assert found.runs == (2, 1)


def test_mean_errors_are_what_the_scores_lack(fake, read_latents):
    model = Model(lambda images: read_latents(images).float(), parts={"invariant": slice(0, 3)})
    settings = EvalSettings(probes=ProbeSettings(epochs=2, batch_size=16), draws=2, baselines=())
    found = run_suite(model, fake(), ("classification", "rotation"), settings)
    for score in ("classification/whole/top1", "rotation/whole/r2_uniform", "rotation/invariant/r2_uniform"):
        errors = found.details[f"{score.rpartition('/')[0]}/errors_by_object"]
        assert list(errors) == [str(index) for index in range(40, 60)]
        assert 1 - np.mean(list(errors.values())) == pytest.approx(found.get(score), abs=1e-4)

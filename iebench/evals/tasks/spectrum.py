"""Spectrum: how many dimensions the whole representation and its parts use, with no labels."""

from collections.abc import Iterator

from iebench.evals.columns import Column, Figure
from iebench.evals.evaluator import Context, Detail, Evaluator, Score
from iebench.evals.representations import Representations
from iebench.evals.settings import RANDOM_INIT
from iebench.evals.spectrum import participation_ratio, power_law_exponent, rankme, spectra

MOST_VIEWS = 100_000  # of all objects of a test set together; RankMe's authors find 25 600 enough


class Spectrum(Evaluator):
    """RankMe, participation ratio and the exponent of alpha-ReQ of every part, on held-out objects."""

    name = "spectrum"
    order = 90
    baselines = (RANDOM_INIT,)
    columns = (
        Column("RankMe", "spectrum/whole/rankme", "", 1, 1, better="none"),
        Column("participation ratio", "spectrum/whole/participation_ratio", "", 1, 1, better="none"),
        Column("alpha of alpha-ReQ", "spectrum/whole/alpha_req", "", 1, 2, better="none"),
    )
    figures = (
        Figure(
            "How many dimensions are used",
            "spectrum/by_part",
            "table",
            "RankMe, participation ratio and the exponent alpha of the variances' power law, of the whole representation and of "
            "each part.",
        ),
    )

    def run(self, context: Context) -> Iterator[Score | Detail]:
        """Scores of every part on every test set, and a table of those on val."""
        for prefix, test in context.tests.items():
            table: dict[str, float] = {}
            for part, values in context.parts(test):
                found = measure_spectrum(values)
                yield from (Score(f"{prefix}{self.name}/{part}/{name}", value) for name, value in found.items())
                table |= {f"{part}, {_TITLES[name]}": value for name, value in found.items()}
            if not prefix:
                yield Detail(f"{self.name}/by_part", table)


_TITLES = {"rankme": "RankMe", "participation_ratio": "participation ratio", "alpha_req": "alpha"}


def measure_spectrum(representations: Representations) -> dict[str, float]:
    """The measures by the last parts of their keys; without `alpha_req` where there are too few variances."""
    moments, variances = spectra(representations.thin(MOST_VIEWS))
    alpha = power_law_exponent(variances)
    found = {"rankme": rankme(moments), "participation_ratio": participation_ratio(variances)}
    return found if alpha is None else found | {"alpha_req": alpha}

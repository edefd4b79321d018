"""Writes docs/published.md, the table of the field with what contradicts itself in it, from iebench/data/published_results.csv.

Run as `python docs/write_published.py`; a test holds the page against the data.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations, groupby
from pathlib import Path

from iebench.evals.metrics import pooled_from_uniform
from iebench.evals.published import PublishedResult, read_published
from iebench.evals.table import OUR_COLUMNS

PAGE = Path(__file__).parent / "published.md"
COLUMNS = [column for column in OUR_COLUMNS if column.published]
POOLED, UNIFORM = "rotation_r2:pooled", "rotation_r2:uniform"

INTRODUCTION = """# The table of the field

What papers report on 3DIEBench: {count} rows with source and protocol, as printed. `iebench table --published` shows
them alone or beside runs of yours; `--protocol` and `--metric` pick among them:

    iebench table --published --protocol "256 px" --metric top1,rotation
    iebench table runs/* --published --protocol "128 px, seq-JEPA" --metric rotation/r2_uniform --format markdown

[Two kinds of R²](evaluation.md#two-r-and-why-neither-is-enough) are in use: a constant scores 0.229 *pooled* and 0 *uniform*.
They never share a column here. `python docs/write_published.py` writes this page from
[published_results.csv](../iebench/data/published_results.csv).

## Sources

| paper | kind of R² | what was read |
|---|---|---|
| seq-JEPA, [arXiv 2505.03176](https://arxiv.org/abs/2505.03176) | uniform | tables of the text; figure 8 from the text of \
`assets/3db_rotation_heatmap.pdf` in github.com/kaikun213/seq-jepa |
| ContextSSL, [arXiv 2405.18193](https://arxiv.org/abs/2405.18193) | pooled | pictures in \
github.com/Sharut/In-Context-Symmetries: `figures/results_main.jpg` (figure 3), `figures/results_mrr.jpg` (table 1) |
| EquiCaps, [arXiv 2506.09895](https://arxiv.org/abs/2506.09895) | pooled | README of github.com/AberdeenML/EquiCaps; \
what its abstract says of others |

"(M, N)" behind seq-JEPA: how many views are seen in training, and how many an object is classified from.
"c" of ContextSSL: tokens of its context.

## Contradictions
"""

REMARKS = """### What to make of them

- **seq-JEPA (3,3)** has a top-1 of 86.14 in table 1, and 85.3 in table 12 and figure 8 of the same paper, where 86.1
  belongs to (3,4) and (4,3). The 85.31 that table 1 gives (1,3) is table 12's (1,5), which in turn is 85.5 in figure
  8.
- **ContextSSL in table 1 of seq-JEPA** was scored with its authors' weights and evaluation: its 0.74 and 0.78 are
  pooled, in a column of uniform values. The 0.71 of seq-JEPA (3,3) would be about 0.78 pooled: it is above, and reads
  as below.
- **SIE at 256 px** has 0.73 pooled in EquiCaps's abstract and 0.721 uniform in table 11 of seq-JEPA. If both are what
  they say, the second is 0.05 better and level with the 0.78 of EquiCaps and of supervision; if table 11 is pooled,
  the two agree.
- **SEN** is the one method at 128 px whose two kinds do not fit each other: 0.633 pooled in ContextSSL, about 0.50 in
  seq-JEPA. All others agree within 0.04.
- **Top-1 of one name** differs by up to 4.2 points between ContextSSL and seq-JEPA after the same length of training,
  in both directions. A smaller difference between rows of two papers is none between methods.
- **The OOD set of seq-JEPA** (table 9) has all three angles outside of their ranges. As R(x + π, π - y, z + π) = R(x,
  y, z), these are the rotations of the training: R² below 0 must have another cause than rotations that were never
  seen.
- **MRR and H@k** of ContextSSL are of the validation set in the paper, and of the training set in the released
  script. How seq-JEPA is queried for them is not in its released code.
- **Color** is probed by a linear layer in ContextSSL and seq-JEPA, and by an MLP in `iebench eval`.
- **Optimisers**: seq-JEPA's paper has AdamW and a cosine, its released code Adam at a constant rate. EquiCaps gives a
  batch size for 3DIEBench-T only.

The tables of the SIE and CapsIE papers are not here, only what others say of them.
"""


def make_page() -> str:
    """The page."""
    results = read_published()
    parts = [INTRODUCTION.format(count=len(results))]
    parts += ["The same method, told the same, after the same training, in the same kind of score:\n"]
    parts += [table(["method", "training", "score", "values"], differing_lines(results))]
    parts += ["The same again, pooled in one paper and uniform in another; the estimate is 0.229 + 0.771 · R²:\n"]
    head = ["method", "training", "pooled", "uniform", "the uniform one pooled, estimated", "pooled - estimate"]
    parts += [table(head, lines_of_two_kinds(results)), REMARKS]
    for protocol, group in groupby(results, lambda result: result.protocol):
        parts.append(f"## {protocol}\n")
        for source, rows in groupby(group, lambda result: result.source):
            parts += [f"### {source}\n", table_of_source(list(rows))]
    return "\n".join(parts)


def table(head: Sequence[str], lines: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    rows = [head, ["---"] * len(head), *lines]
    return "".join("| " + " | ".join(row) + " |\n" for row in rows)


def table_of_source(results: Sequence[PublishedResult]) -> str:
    """The rows of one source with the columns that they fill."""
    columns = [column for column in COLUMNS if any(result.get(column.published) for result in results)]
    notes = ["note"] if any(result.note for result in results) else []
    lines = (
        [
            result.method,
            result.transform,
            *(result.get(c.published) for c in columns),
            *([result.note] if notes else []),
        ]
        for result in results
    )
    return table(["method", "transform", *(column.head for column in columns), *notes], lines)


def training_of(result: PublishedResult) -> str:
    """Data, size of images and length of training: what two papers may have in common."""
    return ", ".join(re.findall(r"^3DIEBench[^,]*|\d+ px|\d+ epochs", result.protocol))


def same_training(results: Sequence[PublishedResult]) -> Iterator[list[PublishedResult]]:
    """The results of one method, told one transform, after one training, wherever they are reported."""
    groups: dict[tuple[str, str, bool], list[PublishedResult]] = {}
    for result in results:
        groups.setdefault((result.name, training_of(result), result.is_ood), []).append(result)
    return iter(groups.values())


def differing_lines(results: Sequence[PublishedResult]) -> Iterator[list[str]]:
    """Method, training, score and values, where sources give one number differently."""
    for group in same_training(results):
        for column in COLUMNS:
            values = [(result.get(column.published), result.source) for result in group if result.get(column.published)]
            if any(differ(one, other) for (one, _), (other, _) in combinations(values, 2)):
                yield [group[0].name, training_of(group[0]), column.head, show_values(values)]


def differ(one: str, other: str) -> bool:
    """Whether two printed numbers are more than the rounding of the coarser one apart."""
    digits = min(len(text.partition(".")[2]) for text in (one, other))
    return abs(float(one) - float(other)) > 0.5 * 10**-digits + 1e-9


def show_values(values: Iterable[tuple[str, str]]) -> str:
    """Numbers with their sources."""
    return "; ".join(f"{value} ({re.sub(r' [(]arXiv [^)]*[)]', '', source)})" for value, source in values)


def lines_of_two_kinds(results: Sequence[PublishedResult]) -> Iterator[list[str]]:
    """Method, training and both kinds of R² of its rotations, where papers give one each."""
    for group in same_training(results):
        pooled, uniform = ([r for r in group if r.get(field)] for field in (POOLED, UNIFORM))
        for one, other in ((one, other) for one in pooled for other in uniform):
            estimate = pooled_from_uniform(float(other.get(UNIFORM)))
            difference = float(one.get(POOLED)) - estimate
            shown = [show_values([(r.get(field), r.source)]) for r, field in ((one, POOLED), (other, UNIFORM))]
            yield [one.name, training_of(one), *shown, f"≈ {estimate:.2f}", f"{difference:+.2f}"]


if __name__ == "__main__":
    PAGE.write_text(make_page(), encoding="utf-8")

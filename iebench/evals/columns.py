"""The columns of the table of scores, and how a score stands in one."""

from dataclasses import dataclass
from typing import NamedTuple


class Cell(NamedTuple):
    """A score: its mean, its standard deviation over runs or seeds, or the bootstrap interval of a single one."""

    value: float
    std: float | None = None
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True)
class Column:
    """One column: the score that fills it.

    Attributes:
        title: head of the column.
        key: of the score.
        published: column of the file of published rows.
        scale: factor before printing.
        digits: after the decimal point.
        unit: such as "%" or "°".
        better: "up" or "down".
    """

    title: str
    key: str
    published: str = ""
    scale: float = 1.0
    digits: int = 3
    unit: str = ""
    better: str = "up"

    def show(self, cell: Cell | None, interval: bool = False) -> str:
        """The cell as it stands in a table, with its standard deviation, or its interval where that is asked for."""
        if cell is None:
            return ""
        text = self._show(cell.value)
        if cell.std is not None:
            return f"{text} ± {self._show(cell.std)}"
        if interval and cell.low is not None and cell.high is not None:
            return f"{text} [{self._show(cell.low)}, {self._show(cell.high)}]"
        return text

    def _show(self, value: float) -> str:
        return f"{value * self.scale:.{self.digits}f}"


COLUMNS = (
    Column("top-1", "classification/whole/top1", "top1", 100, 1, "%"),
    Column("top-5", "classification/whole/top5", "", 100, 1, "%"),
    Column("top-1, invariant part", "classification/invariant/top1", "", 100, 1, "%"),
    Column("top-1, equivariant part", "classification/equivariant/top1", "", 100, 1, "%"),
    Column("rotation R², pooled", "rotation/whole/r2_pooled", "rotation_r2:pooled"),
    Column("rotation R², uniform", "rotation/whole/r2_uniform", "rotation_r2:uniform"),
    Column("rotation R², uniform, invariant part", "rotation/invariant/r2_uniform"),
    Column("rotation R², uniform, equivariant part", "rotation/equivariant/r2_uniform"),
    Column("rotation error, median", "rotation/whole/median_degrees", "", 1, 1, "°", "down"),
    Column("colour R², pooled", "colour/whole/r2_pooled", "color_r2:pooled"),
    Column("colour R², uniform", "colour/whole/r2_uniform", "color_r2:uniform"),
    Column("rotation R², uniform, out of distribution", "ood/rotation/whole/r2_uniform"),
    Column("rotation error, median, out of distribution", "ood/rotation/whole/median_degrees", "", 1, 1, "°", "down"),
    Column("MRR, out of distribution", "ood/retrieval/val-val/mrr"),
    Column("PRE", "retrieval/val-val/pre", "", better="down"),
    Column("MRR", "retrieval/val-val/mrr", "mrr"),
    Column("H@1", "retrieval/val-val/hit_at_1", "hit_at_1"),
    Column("H@5", "retrieval/val-val/hit_at_5", "hit_at_5"),
)

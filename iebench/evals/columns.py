"""How scores stand in the table and details in the report: as data, so that showing results needs no code that made them."""

from dataclasses import dataclass
from typing import Any, Literal, NamedTuple


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
        published: column of the file of published rows; behind a colon the kind of R², behind another "ood" for scores on data
            of another factor space.
        scale: factor before printing.
        digits: after the decimal point.
        unit: such as "%" or "°".
        better: "up", "down", or "none" where the number describes and does not rate.
    """

    title: str
    key: str
    published: str = ""
    scale: float = 1.0
    digits: int = 3
    unit: str = ""
    better: str = "up"

    @property
    def head(self) -> str:
        """The title with its unit."""
        return self.title + (f", {self.unit}" if self.unit else "")

    @property
    def task(self) -> str:
        """Name of the evaluator that fills it."""
        return self.key.removeprefix("ood/").partition("/")[0]

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
        return f"{value * self.scale:z.{self.digits}f}"  # z: no negative zero


FigureKind = Literal["curve", "curves", "classes", "matrix", "table"]


@dataclass(frozen=True)
class Figure:
    """One figure of the report: the detail that it shows.

    Attributes:
        section: head of the section in which it stands, together with other figures of that section.
        key: of the detail; below it, names joined by "/".
        kind: what the detail is. "curve": {x: y}. "curves": {name: {x: y}}. "classes": {class name: number}.
            "table": {name: number}. "matrix": {row: {column: {kind: number}}}, shades from 0 to 1.
        caption: what it shows, in words.
        x, y: labels of the axes.
        dashed: names of the curves that are references.
        mark_symmetric: put * behind the names of classes whose objects look the same after some turn.
    """

    section: str
    key: str
    kind: FigureKind
    caption: str
    x: str = ""
    y: str = ""
    dashed: tuple[str, ...] = ()
    mark_symmetric: bool = False

    def find(self, details: dict[str, Any]) -> Any:
        """Its detail out of those of a result; None where there is none."""
        if self.key in details:
            return details[self.key]
        above, _, name = self.key.rpartition("/")
        return details.get(above, {}).get(name) if above else None

"""Types of what users write on the command line."""

import math
from pathlib import Path
from typing import Any

import click

FOLDER = click.Path(path_type=Path)
POSITIVE = click.IntRange(min=1)


class NumberRange(click.FloatRange):
    """`click.FloatRange`, which lets "nan" and "inf" through, without these."""

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """The number; a usage error if it is not finite, or not in the range."""
        number = super().convert(value, param, ctx)
        if not math.isfinite(number):
            self.fail(f"{value} is not finite: give a number.", param, ctx)
        return float(number)

"""What commands print: names and texts of others are in it, and a terminal obeys control characters."""

import click

from iebench.escapes import for_terminal


def echo(text: object, err: bool = False, nl: bool = True) -> None:
    """Print to standard output, or to standard error."""
    click.echo(for_terminal(str(text)), err=err, nl=nl)


def tell_count(number: int, noun: str) -> str:
    """A number of things, such as "1 object" or "2 objects"."""
    return f"{number} {noun}{'s' * (number != 1)}"

"""`iebench submit`, `iebench rerun` and `iebench leaderboard`: checked rows for a table of everybody's runs."""

from pathlib import Path

import click

from iebench.cli.options import FOLDER
from iebench.cli.terminal import echo
from iebench.errors import IebenchError

_TRUST = click.option("--trust", is_flag=True, help="Import and run code of others that the run names.")
_DEVICE = click.option("--device", default="auto", show_default=True, help="cpu, cuda, cuda:1, or auto.")


@click.command("submit", short_help="Check a run's results and write its entry for the leaderboard.")
@click.argument("run")
@click.option("--data", metavar="PATH", help="The board's dataset, to evaluate the weights again.")
@click.option("--at", default="", metavar="URL", help="Where others find the run: hf://ORG/NAME@COMMIT.")
@click.option("--out", type=FOLDER, default=Path("leaderboard"), show_default=True, help="Folder of the entries.")
@_TRUST
@_DEVICE
def submit_command(run: str, data: str | None, at: str, out: Path, trust: bool, device: str) -> None:
    """Check results.json in RUN, beside its weights, and write one small JSON file into --out.

    Refused are results of other data, by another protocol, with scores that do not fit each other, or of other weights.
    """
    from iebench.sharing.submit import submit

    echo(f"Wrote {submit(run, out, data=data, at=at, trust=trust, device=device)}.")


@click.command("rerun", short_help="Take the scores of a leaderboard entry again from its weights.")
@click.argument("entry", type=FOLDER)
@click.option("--data", required=True, metavar="PATH", help="The board's dataset.")
@click.option("--run", metavar="PATH", help="Folder or address of the run; where the entry says it is by default.")
@_TRUST
@_DEVICE
def rerun_command(entry: Path, data: str, run: str | None, trust: bool, device: str) -> None:
    """Evaluate the weights of ENTRY again and say of each score whether it lies in the entry's interval; exit code 1 if not."""
    from iebench.sharing.submit import describe, rerun

    scores = rerun(entry, data, run, trust=trust, device=device)
    for score in scores:
        echo(describe(score))
    outside = [score for score in scores if not score.is_inside]
    if outside:
        raise IebenchError(
            f"{entry} is not reproduced: {len(outside)} of {len(scores)} scores lie outside of their intervals."
        )
    equal = sum(score.is_equal for score in scores)
    echo(f"{entry} is reproduced: {len(scores)} scores lie in their intervals, {equal} are the same numbers.")


@click.command("leaderboard", short_help="Check all entries of a leaderboard and write its pages.")
@click.argument("folder", type=FOLDER, default=Path("leaderboard"))
@click.option("--out", type=FOLDER, default=Path("docs"), show_default=True, help="Folder of the pages.")
def leaderboard_command(folder: Path, out: Path) -> None:
    """Check every entry in FOLDER and write leaderboard.md and a sortable leaderboard.html."""
    from iebench.sharing.leaderboard import write_leaderboard

    for path in write_leaderboard(folder, out):
        echo(f"Wrote {path}.")

"""The command line. Commands stand one file for each job, and import what they need when they run."""

import errno
import os
import signal
import sys
import tempfile
import traceback
from types import FrameType

import click

from iebench.catalogue import CLASSES
from iebench.cli.data import export, import_, info, show, verify
from iebench.cli.demo import demo
from iebench.cli.eval import compare_command, eval_command, report_command, table_command
from iebench.cli.explore import explore
from iebench.cli.leaderboard import leaderboard_command, rerun_command, submit_command
from iebench.cli.objects import objects
from iebench.cli.render import doctor, merge, render
from iebench.cli.sharing import push
from iebench.cli.terminal import echo
from iebench.cli.train import export_backbone_command, methods_command, train_command
from iebench.errors import IebenchError, explain_missing_package
from iebench.version import __version__


class OrderedGroup(click.Group):
    """Lists its commands in the order in which they are used."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the commands."""
        return list(self.commands)


@click.group(cls=OrderedGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="iebench")
@click.option("--debug", is_flag=True, help="Show the traceback of an error.")
def cli(debug: bool) -> None:
    """Make, serve and score 3DIEBench, the benchmark of invariant and equivariant representations.

    \b
    objects --render--> dataset --pairs--> train a method --eval--> scores
    """  # noqa: D301 - click reads the backspace


@click.command()
def classes() -> None:
    """List the 55 classes: label, synset, name."""
    for entry in CLASSES:
        echo(f"{entry.label:2d}  {entry.synset}  {entry.name}")


COMMANDS = (
    demo,
    doctor,
    classes,
    objects,
    render,
    merge,
    info,
    show,
    explore,
    verify,
    import_,
    export,
    methods_command,
    train_command,
    export_backbone_command,
    eval_command,
    table_command,
    compare_command,
    report_command,
    push,
    submit_command,
    rerun_command,
    leaderboard_command,
)
for command in COMMANDS:
    cli.add_command(command)


def main() -> None:
    """Run the command line: exit code 0 for done, 1 for failed, 2 for wrong usage."""
    signal.signal(signal.SIGTERM, _interrupt)
    os.environ.setdefault("PYTHONSAFEPATH", "1")  # children of multiprocessing would import from the working folder
    try:
        cli.main(prog_name="iebench", standalone_mode=False)
    except click.exceptions.Exit as stop:
        sys.exit(stop.exit_code)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        echo("Stopped.", err=True)
        sys.exit(1)
    except BrokenPipeError:  # the reader of our output has gone, as in `iebench classes | head -1`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except Exception as error:
        is_shown = "--debug" in sys.argv  # click has no context any more
        if is_shown:
            traceback.print_exc()
        echo(f"Error: {_describe(error, is_shown)}", err=True)
        sys.exit(getattr(error, "exit_code", 1))


def _describe(error: Exception, is_shown: bool) -> str:
    """One sentence. The traceback of an error that nobody foresaw, as in a user's own code, is kept in a file unless shown."""
    if isinstance(error, IebenchError):
        return str(error)
    if isinstance(error, MemoryError):
        return "There is not enough memory: give less at once, as with --batch-size, --workers or --size."
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "Too many files are open: allow more with `ulimit -n`, or start fewer --workers."
    if isinstance(error, OSError) and error.filename:
        path = error.filename2 or error.filename
        return f"{path} cannot be read or written ({(error.strerror or str(error)).lower()}): mend that, or name another path."
    if isinstance(error, ModuleNotFoundError) and (missing := explain_missing_package(error)):
        return missing
    told = f"{type(error).__name__}: {error}"
    return told if is_shown else f"{told} (where it was raised: {_keep_traceback(error)}, or `iebench --debug …`)"


def _keep_traceback(error: Exception) -> str:
    """Write the traceback to a file of the temporary folder, and return its path."""
    descriptor, path = tempfile.mkstemp(prefix="iebench-traceback-", suffix=".txt", text=True)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.writelines(traceback.format_exception(error))
    return path


def _interrupt(_number: int, _frame: FrameType | None) -> None:
    raise KeyboardInterrupt

"""The commands `iebench methods`, `iebench train METHOD` and `iebench export-backbone`."""

import inspect
from pathlib import Path
from typing import Any

import click
from click.core import ParameterSource

from iebench.cli.terminal import echo


def make_option(entry: Any, default: Any) -> click.Option:
    """A command-line option from one field of a settings dataclass."""
    is_flag = entry.kind is bool
    return click.Option(
        [f"{entry.option}/--no-{entry.option[2:]}" if is_flag else entry.option],
        type=None if is_flag else click.Choice(entry.choices) if entry.choices else entry.kind,
        default=default,
        show_default=default != "",
        help=entry.help,
    )


def make_command(name: str) -> click.Command:
    """`iebench train NAME`, with the method's settings and the trainer's as options."""
    from iebench.models.recipes import DEFAULT, RECIPES
    from iebench.models.registry import find_method
    from iebench.models.settings import TrainerSettings, list_settings

    entry = find_method(name)

    def start(data: Path, out: Path | None, recipe: str, dry_run: bool, **values: Any) -> None:
        from iebench.errors import UsageError
        from iebench.models.dry_run import dry_run as describe
        from iebench.models.recipes import describe_recipe, make_training
        from iebench.models.training import train

        source_of = click.get_current_context().get_parameter_source
        given = {key: value for key, value in values.items() if source_of(key) is not ParameterSource.DEFAULT}
        method_settings, trainer = make_training(name, recipe, given)
        if dry_run:
            echo(describe(name, method_settings, trainer, data))
            echo(describe_recipe(recipe, name))
            return
        if out is None:
            raise UsageError("--out is missing; name the directory of the run.")
        train(name, method_settings, trainer, data, out)

    options: list[click.Parameter] = [
        click.Option(["--data"], type=click.Path(path_type=Path), required=True, help="Folder of the dataset."),
        click.Option(
            ["--out"], type=click.Path(path_type=Path), help="Folder of the run; the run that is there goes on."
        ),
        click.Option(
            ["--recipe"],
            default=DEFAULT,
            show_default=True,
            help=f"Fill the options below as a benchmark needs them: {', '.join(RECIPES)}; those given come first.",
        ),
        click.Option(
            ["--dry-run"], is_flag=True, help="Show settings, sizes, one step's time and memory; train nothing."
        ),
    ]
    options += [
        make_option(setting, getattr(entry.trainer, setting.name)) for setting in list_settings(TrainerSettings)
    ]
    options += [make_option(setting, setting.default) for setting in list_settings(entry.settings)]
    told = inspect.cleandoc(entry.settings.__doc__ or "")
    paper = f"Paper: {', '.join(entry.paper)}" if entry.paper else ""
    return click.Command(
        name,
        callback=start,
        params=options,
        help=entry.description,
        short_help=entry.summary,
        epilog=f"{told}\n\n{paper}".strip(),
    )


class MethodGroup(click.Group):
    """One command for each method; the methods, and torch with them, are imported only when asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of the methods."""
        from iebench.models.registry import list_methods

        return list_methods()

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of a method; of somebody's own by its dotted name."""
        from iebench.plugins import is_dotted

        return make_command(cmd_name) if is_dotted(cmd_name) or cmd_name in self.list_commands(ctx) else None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Look the method up first, so that a mistyped name is told with the nearest one."""
        from iebench.models.registry import find_method

        find_method(args[0])
        return super().resolve_command(ctx, args)


@click.group("train", cls=MethodGroup, short_help="Train a method on a dataset.")
def train_command() -> None:
    """Train a method on a dataset; `iebench train METHOD --help` lists its settings.

    METHOD is one of those below, or package.module:Class of your own.
    """


@click.command("methods", short_help="List the methods: what they are, and their papers.")
def methods_command() -> None:
    """List the methods that `iebench train` knows: what each is, whether it has a predictor, and its paper."""
    from iebench.models.registry import describe_methods

    echo("\n".join(describe_methods()))
    echo(
        "\npredicts: has a predictor, so that `iebench eval` scores retrieval. `iebench train NAME --help` has the settings.\n"
        "Methods of your own packages are not listed: `iebench train package.module:Class` finds them."
    )


@click.command("export-backbone", short_help="Write a run's backbone as plain weights.")
@click.argument("run", type=click.Path(path_type=Path))
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--trust", is_flag=True, help="Import and run code of others that RUN names.")
def export_backbone_command(run: Path, file: Path, trust: bool) -> None:
    """Write the backbone of RUN to FILE as plain weights, for torch.load(FILE, weights_only=True)."""
    from iebench.models.runs import export_backbone

    export_backbone(run, file, trust)
    echo(f"Wrote {file}.")

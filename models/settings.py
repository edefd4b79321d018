"""Settings are frozen dataclasses whose fields carry their own help, so that the command line can be made from them."""

from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from iebench.errors import UsageError

Transform = Literal["rotation", "rotation+color", "all"]


def setting(default: Any, help: str, changes_results: bool = True) -> Any:
    """A field of a settings dataclass.

    Args:
        default: Its value unless given.
        help: One line for the command line.
        changes_results: Whether a run may be resumed only with the same value.
    """
    return field(default=default, metadata={"help": help, "changes_results": changes_results})


@dataclass(frozen=True)
class Setting:
    """One field of a settings dataclass, as the command line sees it."""

    name: str
    kind: type
    default: Any
    choices: tuple[str, ...]
    help: str
    changes_results: bool


def list_settings(settings: type) -> list[Setting]:
    """The fields of a settings dataclass, in order."""
    hints = get_type_hints(settings)
    return [
        Setting(
            name=entry.name,
            kind=str if get_origin(hints[entry.name]) is Literal else hints[entry.name],
            default=None if entry.default is MISSING else entry.default,
            choices=get_args(hints[entry.name]) if get_origin(hints[entry.name]) is Literal else (),
            help=entry.metadata["help"],
            changes_results=entry.metadata["changes_results"],
        )
        for entry in fields(settings)
    ]


def make_settings(settings: type, values: dict[str, Any], source: str) -> Any:
    """The settings dataclass from stored values.

    Raises:
        UsageError: if a name is not one of its fields.
    """
    unknown = sorted(set(values) - {entry.name for entry in fields(settings)})
    if unknown:
        raise UsageError(f"{source} has settings that this version does not know: {', '.join(unknown)}")
    return settings(**values)


@dataclass(frozen=True)
class MethodSettings:
    """What every method is told."""

    transform: Transform = setting("rotation", "What is known of the way from source to target.")
    backbone: str = setting("resnet18", "resnet18, resnet34, resnet50, or package.module:function of your own.")

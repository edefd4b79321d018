"""Writing the site: pages, thumbnails, the latents of all views, and what runs make of them."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from iebench.dataset.reader import Dataset
from iebench.errors import UsageError
from iebench.explore import MAX_VIEWS
from iebench.explore.index import describe_index, describe_latents
from iebench.explore.pages import copy_pages
from iebench.explore.questions import choose_questions
from iebench.explore.script_files import write_script
from iebench.explore.selection import Shown, select_objects
from iebench.explore.sheets import Track, plan_sheets, write_sheets
from iebench.growing import growing

if TYPE_CHECKING:
    from iebench.explore.runs import ExploredRun


def write_site(
    dataset: Dataset,
    out: Path,
    thumbnail: int | None = None,
    max_views: int = MAX_VIEWS,
    track: Track = iter,
    runs: "Sequence[ExploredRun]" = (),
    device: str = "cpu",
    num_workers: int = 0,
) -> int:
    """Write the explorer of a dataset as a folder of plain files, which open from disk or lie on any web host.

    Args:
        dataset: what is shown.
        out: the folder to write; it appears when it is whole.
        thumbnail: side of a thumbnail in pixels, never more than that of the views; by their number when absent, 64 to 256.
        max_views: where the dataset has more, objects spread evenly over classes and splits are shown.
        track: wraps the iteration over sheets of thumbnails.
        runs: what makes something of the dataset's views; their representations are computed, or read from their caches.
        device: where their networks are.
        num_workers: processes that decode images for them.

    Returns:
        How many objects are shown.

    Raises:
        UsageError: `out` exists or is being made, or the dataset has no objects, or for runs no train or val.
        IebenchError: the dataset is damaged.
    """
    if not dataset.num_objects:
        raise UsageError(f"{dataset.root} has no objects to show: render some.")
    for split in ("train", "val") if runs else ():
        dataset.split_indices(split)  # refuses before the work is done
    shown = select_objects(dataset, max_views)
    plan = plan_sheets(shown, thumbnail)
    with growing(out, "explore") as root:
        copy_pages(root)
        (root / "data").mkdir()
        write_sheets(shown, plan, root, track)
        write_script(root / "data", "latents", describe_latents(shown))
        told = _write_runs(runs, shown, root / "data", device, num_workers) if runs else {}
        write_script(root / "data", "index", {**describe_index(shown, plan), **told})
    return len(shown.objects)


def _write_runs(
    runs: "Sequence[ExploredRun]", shown: Shown, folder: Path, device: str, num_workers: int
) -> dict[str, Any]:
    """Write the data of all runs; what the index tells of them."""
    from iebench.explore.runs import write_run  # needs torch

    questions = choose_questions(shown)
    if not len(questions.candidates):
        raise UsageError("None of the objects shown is held out (val), which runs need: give a larger --max-views.")
    told = [
        write_run(run, f"run{number}", shown, questions, folder, device, num_workers) for number, run in enumerate(runs)
    ]
    names = [run["name"] for run in told]
    for number, run in enumerate(told):
        if names.count(run["name"]) > 1:
            run["name"] = f"{run['name']}, {run['location'] or number + 1}"
    write_script(folder, "questions", questions.to_page())
    return {"runs": told}

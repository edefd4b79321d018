"""Pushing a run: its weights as safetensors, its config, its results, and a model card."""

import json
import shutil
from pathlib import Path
from typing import Any

from iebench.dataset.pages import README
from iebench.escapes import markdown_cell
from iebench.evals.results import RESULTS, Results
from iebench.evals.table import build_rows, format_table
from iebench.models.runs import CONFIG, find_run, read_config_values, read_tensors
from iebench.models.shared_weights import WEIGHTS, save_weights
from iebench.sharing.publish import publish

OURS = (WEIGHTS, RESULTS)
_TAGS = ("iebench", "3DIEBench", "equivariance", "invariance", "representation-learning")


def push_run(run: str | Path, target: str) -> str:
    """Bring a run to a folder or to the hub, where `iebench.load` and `iebench.evaluate` take it. No code is imported.

    Args:
        run: its directory.
        target: a folder, or hf://ORG/NAME.

    Returns:
        Where it is: the folder, or the address with the commit.

    Raises:
        UsageError: the target exists, or is no place for a run.
        IebenchError: the run is damaged, or the hub refuses.
    """
    found = find_run(run)
    values, tensors = read_config_values(found), read_tensors(found)
    results = Results.read(found / RESULTS) if (found / RESULTS).exists() else None

    def make(root: Path) -> None:
        for name in [CONFIG, *([RESULTS] if results else [])]:
            shutil.copyfile(found / name, root / name)  # no links: people edit a config
        save_weights(root / WEIGHTS, tensors)
        (root / README).write_text(write_model_card(found.name, values, results), encoding="utf-8")

    return publish(target, "model", make, dict, OURS)


def write_model_card(name: str, values: dict[str, Any], results: Results | None) -> str:
    """The page that the hub shows: method, data, how to load it, settings, and the table of its results."""
    header = {"library_name": "iebench", "tags": list(_TAGS), "pipeline_tag": "image-feature-extraction"}
    lines = "\n".join(f"{key}: {json.dumps(value)}" for key, value in header.items())
    data = values.get("dataset")
    trained_on = f" on `{_code(data['name'])}` (SHA-256 of its content `{_code(data['sha256'])}`)" if data else ""
    return f"""---
{lines}
---

# {markdown_cell(name)}

`{_code(values["method"])}`, trained by iebench{trained_on}.

```python
import iebench

method = iebench.load("hf://…")              # or the folder of these files
representation = method.represent(images)    # uint8 (batch, 3, height, width)
```

{_describe_results(results)}## Settings

| setting | value |
|---|---|
{_describe_settings(values)}
"""


def _describe_results(results: Results | None) -> str:
    if results is None:
        return ""
    table = format_table(build_rows([results]), "markdown")
    return f"## Results\n\n{table}\n`{RESULTS}` has all scores with their intervals.\n\n"


def _describe_settings(values: dict[str, Any]) -> str:
    settings = {**values.get("method_settings", {}), **values.get("trainer", {})}
    return "\n".join(f"| `{_code(key)}` | {markdown_cell(str(value))} |" for key, value in settings.items())


def _code(text: Any) -> str:
    """A word inside backquotes."""
    return str(text).replace("`", "'").replace("\n", " ").replace("|", "/")

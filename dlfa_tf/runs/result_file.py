"""`results.json`: put together in one place."""

import pathlib
from typing import Any

from dlfa_tf import files
from dlfa_tf.runs import environment
from dlfa_tf.runs.run_folder import RESULTS
from dlfa_tf.runs.run_folder import SCHEMA


def write_results(
    run_dir: pathlib.Path,
    *,
    system: str,
    score: str,
    config: dict[str, Any],
    gate: str | None,
    seconds: dict[str, float],
    **more: Any,
) -> dict[str, Any]:
    """Writes `results.json` of a run folder and returns its content.

    `score` is the name of the task's headline score, `config` the settings
    without the folders of this machine; `seconds` are by part of the run,
    `more` is `environment`, `languages` and what else there is to say.
    """
    results = {
        "schema": SCHEMA,
        "system": system,
        "score": score,
        "config": config,
        "gate": gate,
        "seconds": {name: round(value, 1) for name, value in seconds.items()},
        "peak_memory_bytes": environment.peak_memory_bytes(),
        **more,
    }
    files.write_json(run_dir / RESULTS, results)
    return results

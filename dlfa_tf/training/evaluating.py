"""A model that was loaded, scored as a run scores its own."""

import pathlib
import time
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from dlfa_tf.data.sources import Source
from dlfa_tf.runs import environment
from dlfa_tf.runs import names
from dlfa_tf.runs import result_file
from dlfa_tf.runs import settings
from dlfa_tf.scoring import zero_shot
from dlfa_tf.types import Say


def evaluate_model(
    model: Any,
    source: Source,
    files: dict[str, str],
    *,
    model_folder: str,
    limit: int | None,
    run_dir: pathlib.Path,
    trained_on: Mapping[str, Any] = MappingProxyType({}),
    say: Say = lambda _: None,
) -> dict[str, Any]:
    """Scores a loaded model and writes predictions and `results.json`.

    Returns the content of `results.json`. `files` is from language to split,
    see `choose_files`; `model_folder` says where the model came from, for the
    record; `limit` counts examples per language (None: all); `trained_on`
    has the `source_languages` and `target_examples` of its run. A model whose
    labels are not the task's is refused.
    """
    if tuple(model.labels or ()) != source.task.labels:
        raise ValueError(
            f"The model's labels are not those of task {source.task.name!r}. "
            f"Received: {model.labels}. Accepted: {list(source.task.labels)}."
        )
    started = time.monotonic()
    say(f"evaluating on {', '.join(files)}")
    evaluation = zero_shot.evaluate_languages(
        model,
        source,
        files,
        limit=limit,
        run_dir=run_dir,
        source_languages=names.sources_of(trained_on),
        progress=lambda language, scores: say(score_line(language, scores)),
    )
    backbone = model.backbone
    fusion = backbone.fusion
    if not isinstance(fusion, str):
        fusion = type(fusion).__name__
    return result_file.write_results(
        run_dir,
        system=names.system_name(backbone.fusion_layer, fusion),
        score=source.task.score,
        config={
            **settings.task_settings(source.task),
            "data_source": source.name,
            **trained_on,
            "preset": model_folder,
            "eval_limit": limit,
        },
        gate=backbone.gate_used,
        seconds={"evaluate": time.monotonic() - started},
        environment=environment.describe_environment(),
        label_piece=getattr(model.preprocessor, "resolved_label_piece", None),
        **evaluation,
    )


def score_line(language: str, scores: dict[str, Any]) -> str:
    """What is said of a language as soon as it is scored."""
    return f"  {language} {scores['split']} {scores['score']:.2f}"

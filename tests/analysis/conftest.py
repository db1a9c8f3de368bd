"""Run folders and data as the programs write them, without training."""

import json

import numpy as np
import pytest

from dlfa_tf.data.tasks import get_task
from dlfa_tf.metrics.aggregate import averages
from dlfa_tf.runs.run_folder import SCHEMA
from dlfa_tf.scoring.prediction_files import write_predictions
from dlfa_tf.scoring.score import score_labels

ITEMS = 30


class Lab:
    """A data folder and a folder of runs that fit each other."""

    def __init__(self, root):
        self.data = root / "data"
        self.runs = root / "runs"
        self.runs.mkdir(parents=True)

    def gold(self, task_name, language):
        """Labels of the test file, which is written on first use."""
        task = get_task(task_name)
        random = np.random.default_rng([ord(x) for x in task_name + language])
        folder = self.data / task.folder
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"test-{language}.tsv"
        if task.kind == "pair":
            labels = random.choice(task.labels, size=ITEMS).tolist()
            rows = [f"{i} a\tb{i}\t{x}" for i, x in enumerate(labels)]
            path.write_text("\n".join(rows) + "\n")
            return labels
        labels = [
            random.choice(task.labels[:5], size=n).tolist()
            for n in random.integers(1, 9, size=ITEMS)
        ]
        path.write_text(
            "\n\n".join(
                "\n".join(f"w{i}\t{tag}" for i, tag in enumerate(tags))
                for tags in labels
            )
            + "\n"
        )
        return labels

    def run(
        self,
        task_name,
        system,
        seed=1,
        languages=("de", "en", "zh"),
        errors=0.3,
        gate="feature",
        dev_score=90.0,
        **config,
    ):
        """Writes a run whose share of wrong labels is about `errors`."""
        task = get_task(task_name)
        name = f"{system}-{gate}" if gate != "feature" else system
        folder = self.runs / task_name / name / f"seed-{seed}"
        random = np.random.default_rng([seed, *map(ord, system + gate)])
        scores = {}
        for language in languages:
            gold = self.gold(task_name, language)
            predicted = _spoil(gold, errors, random, task)
            write_predictions(folder, "test", language, predicted)
            scores[language] = {
                **score_labels(task, gold, predicted),
                "split": "test",
            }
        is_fused = system != "baseline"
        results = {
            "schema": SCHEMA,
            "system": system,
            "score": task.score,
            "gate": gate if is_fused else None,
            "label_piece": "first" if task.kind == "tagging" else None,
            "dev_score": dev_score,
            "best_step": 3,
            "total_steps": 4,
            "train_examples": 7,
            "languages": scores,
            "averages": averages({k: v["score"] for k, v in scores.items()}),
            "missing_languages": [],
            "environment": {"git_revision": "abc", "python": "3.11"},
            "seconds": {"train": 1.0},
            "peak_memory_bytes": 2**30,
            "config": {
                "task": task_name,
                "data_source": "files",
                "preset": "tiny",
                "seed": seed,
                "fusion_layer": int(system[2:]) if is_fused else None,
                "gate": gate,
                "norm": "layer",
                "learning_rate": 0.1,
                "eval_limit": None,
                **config,
            },
        }
        self.write(folder, results)
        return folder

    @staticmethod
    def write(folder, results):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "config.json").write_text(json.dumps({"config": {}}))
        (folder / "results.json").write_text(json.dumps(results))

    @staticmethod
    def change(folder, change):
        """Rewrites the results of a run after `change(results)`."""
        results = json.loads((folder / "results.json").read_text())
        change(results)
        (folder / "results.json").write_text(json.dumps(results))


def _spoil(gold, errors, random, task):
    def label(right):
        wrong = random.random() < errors
        return str(random.choice(task.labels[:5])) if wrong else right

    if task.kind == "pair":
        return [label(x) for x in gold]
    return [[label(x) for x in tags] for tags in gold]


@pytest.fixture
def lab(tmp_path):
    """Writes runs: `lab.run("pawsx", "D_1", seed=2)`."""
    return Lab(tmp_path)

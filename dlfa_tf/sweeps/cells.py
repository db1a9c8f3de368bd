"""The runs of a sweep: tasks times systems times gates times seeds."""

import dataclasses
import pathlib
import re
from collections.abc import Callable
from collections.abc import Sequence
from typing import NamedTuple

from dlfa_tf.runs import names
from dlfa_tf.runs.names import DEFAULT_GATE
from dlfa_tf.runs.own_fusion import CLASS
from dlfa_tf.runs.own_fusion import MODULE
from dlfa_tf.runs.settings import TrainConfig

_SYSTEM = re.compile(r"(D|mean)_(\d+)(?:\.\.\1_(\d+))?")
# The module need not be said again at the end of a range.
_OWN_SYSTEM = re.compile(
    f"(?P<module>{MODULE}):(?P<name>{CLASS})_(?P<first>[0-9]+)"
    r"(?:\.\.(?:(?P=module):)?(?P=name)_(?P<last>[0-9]+))?"
)
_SEED = re.compile(r"(\d+)(?:\.\.(\d+))?")


class System(NamedTuple):
    """What is fused, and how; settings of `TrainConfig`."""

    fusion_layer: int | None
    fusion: str = "dlfa"


@dataclasses.dataclass(frozen=True, kw_only=True)
class Cell:
    """One run of a sweep, in the `output_dir` of its config.

    The name is its place in the sweep, such as `pos/D_9/seed-1`; the hash is
    that of the bundle that it runs on.
    """

    name: str
    config: TrainConfig
    bundle_sha256: str | None = None

    @property
    def folder(self) -> pathlib.Path:
        """The run folder."""
        return pathlib.Path(self.config.output_dir)

    @property
    def log_file(self) -> pathlib.Path:
        """What the run printed; beside its folder, which has to be empty."""
        return self.folder.with_name(f"{self.folder.name}.log")

    @property
    def lock_file(self) -> pathlib.Path:
        """Locked while a process is at work on the run."""
        return self.folder.with_name(f".{self.folder.name}.lock")


def parse_systems(names: Sequence[str]) -> list[System]:
    """Reads names such as `baseline`, `D_1..D_11` or `my_module:Mine_9`.

    Systems keep their order, each once. ValueError for a name of another form,
    a range that runs backwards, or two layers that would get one name.
    """
    systems: list[System] = []
    for name in names:
        match = _SYSTEM.fullmatch(name)
        if name == "baseline":
            systems.append(System(None))
        elif name == "scalar_mix":
            systems.append(System(None, name))
        elif match:
            kind, first, last = match.groups()
            fusion = "dlfa" if kind == "D" else kind
            systems += [System(x, fusion) for x in _range(name, first, last)]
        elif own := _OWN_SYSTEM.fullmatch(name):
            fusion = f"{own['module']}:{own['name']}"
            systems += [
                System(x, fusion)
                for x in _range(name, own["first"], own["last"])
            ]
        else:
            raise ValueError(
                f"`systems` has an unknown name. Received: {name!r}. Accepted: "
                "baseline, D_x for block x, ranges such as D_1..D_11, mean_x, "
                "scalar_mix, and MODULE:CLASS_x for a layer of your own."
            )
    _check_names(systems)
    return _unique(systems, "systems")


def _check_names(systems: Sequence[System]) -> None:
    fusions: dict[str, str] = {}
    for system in systems:
        name = names.system_name(*system)
        other = fusions.setdefault(name, system.fusion)
        if other != system.fusion:
            raise ValueError(
                f"Two `systems` would both be called {name}. Received: "
                f"{other} and {system.fusion}. Accepted: classes with "
                "different names."
            )


def parse_seeds(texts: Sequence[str]) -> list[int]:
    """Reads seeds, ranges such as `1..5` allowed.

    ValueError for anything but whole numbers from 0, or a range that runs
    backwards.
    """
    seeds: list[int] = []
    for text in texts:
        match = _SEED.fullmatch(text)
        if not match:
            raise ValueError(
                f"`seeds` must be whole numbers from 0. Received: {text!r}. "
                "Accepted: numbers such as 1,2,3 and ranges such as 1..5."
            )
        seeds += _range(text, *match.groups())
    return _unique(seeds, "seeds")


def _range(text: str, first: str, last: str | None) -> list[int]:
    numbers = list(range(int(first), int(last or first) + 1))
    if not numbers:
        raise ValueError(
            f"A range runs backwards. Received: {text!r}. Accepted: the "
            "smaller number first."
        )
    return numbers


def _unique(values: list, name: str) -> list:
    if not values:
        raise ValueError(f"`{name}` is empty. Accepted: one or more.")
    return list(dict.fromkeys(values))


def plan_cells(
    make_config: Callable[..., TrainConfig],
    *,
    output_dir: str,
    tasks: Sequence[str],
    systems: Sequence[System],
    gates: Sequence[str],
    seeds: Sequence[int],
    bundle_sha256: str | None = None,
) -> list[Cell]:
    """Lists the runs of a sweep; the first seed of all systems comes first.

    A run folder is `<output_dir>/<task>/<system>/seed-N`, where `<system>` is
    what `system_folder` says. Systems without a gate occur once. `make_config`
    gets `task`, `fusion_layer`, `fusion`, `gate`, `seed` and `output_dir`; it
    raises ValueError for settings out of range.
    """
    cells = {}
    for seed in seeds:
        for task in _unique(list(tasks), "tasks"):
            for system in systems:
                for gate in _unique(list(gates), "gates"):
                    if system.fusion_layer is None or system.fusion != "dlfa":
                        gate = DEFAULT_GATE
                    folder = names.system_folder(
                        names.system_name(*system), gate
                    )
                    name = f"{task}/{folder}/seed-{seed}"
                    cells[name] = Cell(
                        name=name,
                        bundle_sha256=bundle_sha256,
                        config=make_config(
                            task=task,
                            fusion_layer=system.fusion_layer,
                            fusion=system.fusion,
                            gate=gate,
                            seed=seed,
                            output_dir=str(pathlib.Path(output_dir) / name),
                        ),
                    )
    return list(cells.values())


def shard_cells(
    cells: Sequence[Cell], shard_index: int, num_shards: int
) -> list[Cell]:
    """The cells that one of several machines works on: every n-th one.

    ValueError when there is no such shard, or nothing in it.
    """
    if not 0 <= shard_index < num_shards:
        raise ValueError(
            f"`shard_index` is out of range. Received: {shard_index} with "
            f"num_shards={num_shards}. Accepted: 0 to {num_shards - 1}."
        )
    if num_shards > len(cells):
        raise ValueError(
            f"`num_shards` is larger than the number of runs. Received: "
            f"{num_shards} for {len(cells)} runs."
        )
    return list(cells[shard_index::num_shards])

"""A run: its settings, its folder, its model.

settings: `TrainConfig`, everything that decides a run.
recipes: named settings, one set per task.
own_fusion: a fusion layer of the user's, `MODULE:CLASS`.
names: names of systems and of the folders of their runs.
variants: what a run changed of the paper's system, in words.
run_folder: names of its files; result_file: how `results.json` is made.
resuming: a folder that is new, to go on with, or somebody else's.
auto: what `auto` means on this machine.
same_settings: whether a run was made with the settings asked for.
load: models from a config, and from a folder.
environment: versions, hardware, revision and memory.
memory: gives memory back between the parts of a program.
workers: which machines and devices a run works on.
"""

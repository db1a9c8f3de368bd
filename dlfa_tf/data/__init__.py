"""Tasks, readers and the way from examples to batches.

task, tasks: what a task is; the paper's four; labels, languages, settings.
task_file: a task of a TOML file, and back to plain values.
task_examples, task_labels: files of such a task; labels that they decide.
families: names, families and scripts of the languages.
sources: `Source`: files, TensorFlow Datasets or the sample.
readers, tfds: the examples of a file, or of a prepared set.
formats: files of other people's, by format.
originals, tfds_archives: data as their makers ship them, prepared.
original_files, ud_treebanks: archives without unpacking; treebanks of UD.
doctor, doctor_pieces: what is wrong with data.
label_schemes, scripts: IOB2 and its kin; scripts of languages.
inventory: what a source holds.
label_ids: labels alone, of many files, fast.
arrays: `TokenArrays`, tokenised examples.
cache, packed_arrays: these on disk, and in little room.
compact_vocabulary: these over the embedding rows in use.
pipelines: batches of them.
"""

from dlfa_tf import first_use

# Imported on first use: flags need the tasks, not the readers.
_PUBLIC = {
    "TASKS": "tasks",
    "PairExample": "readers",
    "Source": "sources",
    "TaggedSentence": "readers",
    "Task": "task",
    "TextExample": "readers",
    "find_task": "tasks",
    "get_task": "tasks",
}

__all__ = [*_PUBLIC]

__getattr__, __dir__ = first_use.public_names(__name__, _PUBLIC)

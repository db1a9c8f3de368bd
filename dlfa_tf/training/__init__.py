"""Fine-tuning of one model, and the choice of its weights.

run: one run, from its settings to its `results.json`.
inputs: what a run trains on: files and a preset, or a bundle.
preparing: from a config to token arrays.
bundle: one file with all that runs of a task need; bundle_file: its format.
bundle_settings: what a bundle has decided.
engine: steps, log, dev scores and checkpoints, whatever computes the steps.
objective: what an engine trains for; fine_tuning: a task with labels.
step: what a step is to the engine; step_tensorflow, step_jax: the two.
optimizers: AdamW and the learning rate over the steps.
distribution: `tf.distribute`; rendezvous: workers that find each other.
checkpoints: whole, checked when read, the newest ones kept.
dev_choice: the weights that score best on dev.
run_log: `metrics.jsonl` and TensorBoard; throughput, gate_statistics: entries.
progress: the bar, or a line now and then.
interruption: SIGTERM, and numbers that are not finite.
evaluating: a loaded model, scored as a run scores its own.
"""

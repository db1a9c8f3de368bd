"""Hugging Face's run_mlm, a round at a time, in an environment of its own.

Usage: python adapting_peers.py FOLDER CASE BATCH_SIZE STEPS THREADS, with
torch, transformers, accelerate and datasets installed. FOLDER is what
benchmarks.adapting_speed wrote: rows.npz and shape.json. What run_mlm.py of
transformers' examples sets up is set up here, and `Trainer.train` runs; the
weights are random. Standard output: a JSON line with the versions when all is
ready. Then, for every line of standard input, STEPS steps and a JSON line with
their processor time and the peak memory.
"""

import json
import pathlib
import resource
import sys
import time
from typing import Any

import accelerate
import datasets
import numpy as np
import tokenizers
import torch
import transformers

# A run of more steps than anybody asks for.
_ENDLESS = 10**6
_CASES = ("run_mlm", "run_mlm_bfloat16", "run_mlm_frozen")


class Rounds(transformers.TrainerCallback):
    """Lets the trainer take some steps for every line that comes in."""

    def __init__(self, steps: int) -> None:
        self.steps = steps
        self.left = 0
        self.began = 0.0

    def on_train_begin(
        self, args: Any, state: Any, control: Any, **_: Any
    ) -> None:
        """Waits for the first line."""
        self.wait(control)

    def on_step_end(
        self, args: Any, state: Any, control: Any, **_: Any
    ) -> None:
        """Answers after the last step of a round."""
        self.left -= 1
        if not self.left:
            peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
            answer(
                cpu_seconds=time.process_time() - self.began,
                peak_memory_bytes=1024 * peak,
            )
            self.wait(control)

    def wait(self, control: Any) -> None:
        """Waits for the next line; ends the training when there is none."""
        self.left = self.steps
        if not sys.stdin.readline():
            control.should_training_stop = True
        self.began = time.process_time()


def answer(**values: Any) -> None:
    """Prints a JSON line."""
    print(json.dumps(values), flush=True)


def make_model(case: str, shape: dict[str, Any]) -> Any:
    """BERT of the given shape that guesses hidden pieces."""
    torch.manual_seed(0)
    config = transformers.BertConfig(
        vocab_size=shape["vocabulary_size"],
        hidden_size=shape["hidden_dim"],
        num_hidden_layers=shape["num_layers"],
        num_attention_heads=shape["num_heads"],
        intermediate_size=shape["intermediate_dim"],
        max_position_embeddings=shape["max_positions"],
        pad_token_id=shape["pad_id"],
    )
    model = transformers.BertForMaskedLM(config)
    if case == "run_mlm_frozen":
        # The table is the weight of the head too.
        model.bert.embeddings.word_embeddings.weight.requires_grad_(False)
    return model


def make_tokenizer(shape: dict[str, Any]) -> Any:
    """Only its size and its special ids are asked for."""
    names = {f"p{i}": i for i in range(shape["vocabulary_size"])}
    special = {
        "pad_token": shape["pad_id"],
        "cls_token": shape["start_id"],
        "sep_token": shape["end_id"],
        "mask_token": shape["mask_id"],
    }
    tokenizer = tokenizers.Tokenizer(tokenizers.models.WordLevel(names))
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        **{name: f"p{i}" for name, i in special.items()},
    )


def make_rows(folder: pathlib.Path, shape: dict[str, Any]) -> Any:
    """The rows with the columns that run_mlm's own packing makes."""
    with np.load(folder / "rows.npz") as file:
        ids = file["token_ids"]
    special = np.isin(ids, [shape["start_id"], shape["end_id"]])
    return datasets.Dataset.from_dict(
        {
            "input_ids": ids.tolist(),
            "token_type_ids": np.zeros_like(ids).tolist(),
            "attention_mask": np.ones_like(ids).tolist(),
            "special_tokens_mask": special.astype(int).tolist(),
        }
    )


def main(
    folder: pathlib.Path, case: str, batch_size: int, steps: int, threads: int
) -> None:
    """Trains until standard input ends."""
    if case not in _CASES:
        raise ValueError(f"Received: {case!r}. Accepted: {_CASES}.")
    torch.set_num_threads(threads)
    transformers.logging.set_verbosity_error()
    datasets.disable_progress_bars()
    shape = json.loads((folder / "shape.json").read_text(encoding="utf-8"))
    trainer = transformers.Trainer(
        model=make_model(case, shape),
        args=transformers.TrainingArguments(
            output_dir=str(folder / case),
            per_device_train_batch_size=batch_size,
            max_steps=_ENDLESS,
            save_strategy="no",
            report_to="none",
            disable_tqdm=True,
            use_cpu=True,
            bf16=case == "run_mlm_bfloat16",
            dataloader_pin_memory=False,
        ),
        train_dataset=make_rows(folder, shape),
        data_collator=transformers.DataCollatorForLanguageModeling(
            tokenizer=make_tokenizer(shape),
            mlm_probability=shape["mask_rate"],
        ),
        callbacks=[Rounds(steps)],
    )
    # The trainer prints its losses.
    trainer.remove_callback(transformers.PrinterCallback)
    modules = (torch, transformers, accelerate, datasets)
    answer(**{module.__name__: module.__version__ for module in modules})
    trainer.train()


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), sys.argv[2], *map(int, sys.argv[3:6]))

"""How tensorflow_model_server joins requests to batches, as its double does it.

What was seen on the real one, 2.20.0, with --enable_batching:
- a request without rows is never scheduled by itself: it waits for others, or
  for its deadline, and holds its thread;
- a batch that is not of an allowed size is filled up with the first row of its
  last request; when that has none, the process aborts;
- requests of other widths in one batch fail it for all of them;
- a request whose inputs have no dimension, or not the same first one, is
  refused before it is queued.
"""

import contextlib
import threading

import numpy as np


class Failure(Exception):
    """An answer that is an error."""

    def __init__(self, code, message):
        super().__init__(message)
        self.code = code


class _Task:
    def __init__(self, inputs, size):
        self.inputs = inputs
        self.size = size
        self.done = threading.Event()
        self.outputs = None
        self.failure = None


class Batcher:
    """Joins the requests of threads; `stop` ends it.

    `parameters` is a `BatchingParameters`. `run` takes a key, which only
    requests with the same may share a batch for, and joined inputs. `crash` is
    called where the real server aborts.
    """

    def __init__(self, parameters, run, crash):
        self.limit = parameters.max_batch_size.value or 1000
        self.allowed = list(parameters.allowed_batch_sizes)
        self.run = run
        self.crash = crash
        self.queues = {}
        self.is_held = False
        self.stopped = False
        self.changed = threading.Condition()
        self.thread = threading.Thread(target=self._work)
        self.thread.start()

    def stop(self):
        with self.changed:
            self.stopped = True
            self.changed.notify_all()
        self.thread.join()

    def waiting(self):
        """Number of requests in the queues."""
        with self.changed:
            return sum(map(len, self.queues.values()))

    @contextlib.contextmanager
    def held(self):
        """Keeps requests back; those that came meanwhile share a batch."""
        with self.changed:
            self.is_held = True
        yield
        with self.changed:
            self.is_held = False
            self.changed.notify_all()

    def ask(self, key, inputs, seconds):
        """Runs a request with others; Failure as the server answers."""
        if any(value.ndim == 0 for value in inputs.values()):
            raise Failure(
                "INVALID_ARGUMENT",
                "Batching Run() input tensors must have at least one dimension",
            )
        sizes = {len(value) for value in inputs.values()}
        if len(sizes) > 1:
            raise Failure(
                "INVALID_ARGUMENT",
                "Batching Run() input tensors must have equal 0th-dimension "
                "size",
            )
        task = _Task(inputs, sizes.pop())
        if task.size > self.limit:
            raise Failure(
                "INVALID_ARGUMENT",
                f"Task size {task.size} is larger than maximum input batch "
                f"size {self.limit}",
            )
        with self.changed:
            self.queues.setdefault(key, []).append(task)
            self.changed.notify_all()
        if not task.done.wait(seconds):
            raise Failure("DEADLINE_EXCEEDED", "waited in the batching queue")
        if task.failure is not None:
            raise Failure(*task.failure)
        return task.outputs

    def _work(self):
        while True:
            with self.changed:
                self.changed.wait_for(lambda: self.stopped or self._ready())
                if self.stopped:
                    return
                key = self._ready()
                batch = self._taken(key)
            try:
                self._process(key, batch)
            except Failure as failure:
                for task in batch:
                    task.failure = failure.code, str(failure)
            except Exception as error:
                # The thread has to live on: others wait for it.
                for task in batch:
                    task.failure = "INTERNAL", repr(error)
            for task in batch:
                task.done.set()

    def _ready(self):
        """A key whose requests have rows."""
        if self.is_held:
            return None
        for key, queue in self.queues.items():
            if any(task.size for task in queue):
                return key
        return None

    def _taken(self, key):
        queue = self.queues[key]
        batch = []
        while queue and self.limit >= queue[0].size + sum(
            task.size for task in batch
        ):
            batch.append(queue.pop(0))
        return batch

    def _process(self, key, batch):
        first = batch[0].inputs
        for name, value in first.items():
            shapes = {task.inputs[name].shape[1:] for task in batch}
            if len(shapes) > 1:
                raise Failure(
                    "FAILED_PRECONDITION",
                    f"Tensors with name '{name}' from different tasks have "
                    "different shapes and padding is turned off. Set "
                    "pad_variable_length_inputs to true, or ensure that all "
                    "tensors with the same name have equal dimensions "
                    "starting with the first dim.",
                )
            del value
        total = sum(task.size for task in batch)
        wanted = next((n for n in self.allowed if n >= total), total)
        if wanted > total and batch[-1].size == 0:
            # Check failed: limit <= dim0_size (1 vs. 0)
            self.crash()
            raise Failure("UNAVAILABLE", "Socket closed")
        joined = {
            name: np.concatenate(
                [task.inputs[name] for task in batch]
                + [batch[-1].inputs[name][:1]] * (wanted - total)
            )
            for name in first
        }
        outputs = self.run(key, joined)
        start = 0
        for task in batch:
            part = slice(start, start + task.size)
            task.outputs = {name: x[part] for name, x in outputs.items()}
            start += task.size

"""A SavedModel as the model server runs it, in this process.

`tf.saved_model.load` is kinder than the server: it restores variables by the
object graph, which the server does not read. The session of TensorFlow 1
restores by the saver in the MetaGraph and runs the signature by its tensors'
names, as the server does. Only the check of shapes is Python's.
"""

import ctypes
import os
import pathlib
from collections.abc import Iterable
from collections.abc import Mapping
from typing import Any

import numpy as np

from dlfa_tf.lazy import tf

_FRAMEWORK = "libtensorflow_framework.so.2"
# absl::lts_20250127::SetMinLogLevel(absl::LogSeverityAtLeast)
_SET_MIN_LOG_LEVEL = (
    "_ZN4absl12lts_2025012714SetMinLogLevelENS0_18LogSeverityAtLeastE"
)
_ERROR = 2


class ServedGraph:
    """A loaded export; ask it with `run`, end it with `close`.

    `signatures` goes from name to `SignatureDef`, without those that are
    TensorFlow's own. OSError when the folder holds no SavedModel.
    """

    def __init__(self, folder: str | os.PathLike) -> None:
        _hold_abseil_to_level()
        self._session = tf.compat.v1.Session(graph=tf.Graph())
        self._calls: dict[Any, Any] = {}
        with self._session.graph.as_default():
            loader = tf.compat.v1.saved_model.load
            meta_graph = loader(self._session, ["serve"], os.fspath(folder))
        self.signatures = own_signatures(meta_graph)

    def run(
        self,
        signature: str,
        inputs: Mapping[str, np.ndarray],
        outputs: Iterable[str] | None = None,
    ) -> dict[str, np.ndarray]:
        """Runs a signature on arrays by name; strings are object arrays.

        Computes all outputs unless some are named. KeyError for a name that
        the signature does not have; tf.errors.OpError or ValueError when the
        graph or its loader refuses the inputs.
        """
        definition = self.signatures[signature]
        names = sorted(outputs if outputs is not None else definition.outputs)
        keys = sorted(inputs)
        if set(keys) != set(definition.inputs):
            raise KeyError(
                f"Signature {signature!r} takes {sorted(definition.inputs)}. "
                f"Received: {keys}."
            )
        call = self._calls.get((signature, *names))
        if call is None:
            # Prepared once: this is what a request would pay otherwise.
            call = self._session.make_callable(
                [definition.outputs[name].name for name in names],
                [definition.inputs[key].name for key in keys],
            )
            self._calls[signature, *names] = call
        values = call(*(inputs[key] for key in keys))
        return dict(zip(names, values, strict=True))

    def close(self) -> None:
        """Gives the memory back."""
        self._session.close()


def _hold_abseil_to_level() -> None:
    """Lets `TF_CPP_MIN_LOG_LEVEL` hold for all of TensorFlow, save for errors.

    TensorFlow 2.20 obeys it in its own macros only. What a session says through
    Abseil, that a pass for TPUs is not enabled, has no other setting than this
    function; where a build has none of that name, the two lines are shown.
    """
    level = os.environ.get("TF_CPP_MIN_LOG_LEVEL", "")
    if level not in ("1", "2", "3"):
        return
    library = pathlib.Path(tf.sysconfig.get_lib(), _FRAMEWORK)
    try:
        set_level = getattr(ctypes.CDLL(str(library)), _SET_MIN_LOG_LEVEL)
    except (OSError, AttributeError):
        return
    set_level(min(int(level), _ERROR))


def own_signatures(meta_graph: Any) -> dict[str, Any]:
    """Signatures of a MetaGraph without `__saved_model_init_op`."""
    found = meta_graph.signature_def
    return {k: found[k] for k in sorted(found) if not k.startswith("__")}

"""Description of a layer under test, and the inputs to test it with."""

import dataclasses
from typing import Any

import keras
import numpy as np

from dlfa_tf.types import Config
from dlfa_tf.types import Shape
from dlfa_tf.types import Tensor

# Name of every layer under test, so that weights of two instances have
# equal paths.
LAYER_NAME = "layer_under_test"


@dataclasses.dataclass(frozen=True, kw_only=True)
class LayerCase:
    """One layer with one choice of arguments, and what is declared of it.

    Args:
        layer_class: Class of the layer. Its call takes `num_inputs` tensors
            `(batch, time, dim)` and, if `takes_mask`, a mask by keyword.
        config: Dict of constructor arguments, without `name` and `dtype`.
        num_trainable_weights: int, number of trainable weight tensors.
        num_other_weights: int, number of the other weight tensors.
        output_shape: Tuple of sizes, where the words "batch" and "time" stand
            for the sizes of the input.
        num_inputs: int, number of input tensors.
        dim: int, width of the inputs.
        takes_mask: bool, False skips the checks of padding.
        mask_name: str, keyword of the mask; `padding_mask` of a layer that is
            a `fusion` of `DLFABackbone`.
        works_with_xla: bool, False skips the check of XLA.
        package: str, name under which the class is registered in Keras.
        seed: int, seed of weights and inputs.
    """

    layer_class: type[keras.layers.Layer]
    num_trainable_weights: int
    config: Config = dataclasses.field(default_factory=dict)
    num_other_weights: int = 0
    output_shape: tuple[str | int, ...] = ("batch", "time", 8)
    num_inputs: int = 1
    dim: int = 8
    takes_mask: bool = True
    mask_name: str = "mask"
    works_with_xla: bool = True
    package: str = "dlfa_tf"
    seed: int = 7

    def make_layer(self, dtype: str = "float32") -> keras.layers.Layer:
        """Returns a new layer without weights."""
        keras.utils.set_random_seed(self.seed)
        return self.layer_class(**self.config, name=LAYER_NAME, dtype=dtype)

    def make_built_layer(self, dtype: str = "float32") -> keras.layers.Layer:
        """Returns a new layer whose weights hold no special values.

        Fresh weights are often 0 or 1, which would hide a weight that was not
        saved or not used. Two calls return layers with equal weights.
        """
        layer = self.make_layer(dtype)
        layer(*self.make_inputs(2, 5), **self.mask_argument(2, 5))
        rng = np.random.default_rng(self.seed)
        for weight in layer.weights:
            value = to_numpy(weight)
            # Upwards, so that a variance stays positive.
            weight.assign(value + rng.uniform(0.05, 0.3, value.shape))
        return layer

    def make_inputs(
        self, batch: int, time: int, seed: int = 0
    ) -> list[np.ndarray]:
        """Returns float32 arrays `(batch, time, dim)`, one for each input."""
        rng = np.random.default_rng((self.seed, seed))
        return [
            rng.normal(size=(batch, time, self.dim)).astype("float32")
            for _ in range(self.num_inputs)
        ]

    def mask_argument(self, batch: int, time: int) -> dict[str, np.ndarray]:
        """Returns the keyword arguments of a call: a mask of ragged rows.

        Rows 0, 1, 2, ... have `time`, `time - 1`, ... real tokens, at least 1.
        """
        if not self.takes_mask:
            return {}
        lengths = np.maximum(time - np.arange(batch), 1)
        return {self.mask_name: np.arange(time)[None, :] < lengths[:, None]}

    def expected_shape(self, batch: int | None, time: int | None) -> Shape:
        """Returns the declared output shape for given sizes."""
        sizes: dict[Any, int | None] = {"batch": batch, "time": time}
        return tuple(
            sizes[size] if isinstance(size, str) else size
            for size in self.output_shape
        )

    def make_model(
        self, layer: keras.layers.Layer, head: bool = False
    ) -> keras.Model:
        """Returns a functional model of the layer, all sizes but dim unknown.

        Args:
            layer: Layer, the only one of the model.
            head: bool, whether a dense layer of width 1 follows, which gives
                layers without weights something to train.
        """
        inputs = [
            keras.Input((None, self.dim), name=f"input_{index}")
            for index in range(self.num_inputs)
        ]
        mask = {}
        if self.takes_mask:
            mask[self.mask_name] = keras.Input(
                (None,), dtype="bool", name="mask"
            )
        outputs = layer(*inputs, **mask)
        if head:
            outputs = keras.layers.Dense(1, name="head")(outputs)
        return keras.Model([*inputs, *mask.values()], outputs)


def to_numpy(tensor: Tensor) -> np.ndarray:
    """Returns a tensor or weight as an array, half precision as float32."""
    if keras.backend.is_float_dtype(tensor.dtype):
        tensor = keras.ops.cast(tensor, "float32")
    return keras.ops.convert_to_numpy(tensor)

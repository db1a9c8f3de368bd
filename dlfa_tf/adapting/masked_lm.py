"""The model that guesses hidden pieces, over the encoder of a preset."""

import pathlib
from typing import Any

import keras
import keras_hub
import numpy as np

from dlfa_tf import files
from dlfa_tf.adapting import guess_losses
from dlfa_tf.models.dlfa_backbone import DLFABackbone

# Weights of the head in the folder of an adapted preset: another adaptation
# goes on with them.
HEAD_FILE = "masked_lm_head.npz"
HEAD_NAME = "masked_lm_head"
MASK_POSITIONS = "mask_positions"


class MaskedLM(keras.Model):
    """Guesses the pieces at some positions, from an encoder's last block.

    The head is BERT's: dense, GELU, layer norm, then the token embedding
    turned around, and a bias.

    Args:
        backbone: `DLFABackbone` without fusion.
        **kwargs: further arguments of `keras.Model`.

    Call arguments:
        inputs: dict of the encoder's inputs, each `(batch, time)`, and
            `mask_positions` int32 `(batch, guesses)`.

    Returns:
        float32 logits `(batch, guesses, vocabulary_size)`.

    Reference:
        - Devlin et al. 2019, BERT, section 3.1; keras-hub's `MaskedLMHead`.
    """

    def __init__(self, backbone: DLFABackbone, **kwargs: Any) -> None:
        positions = keras.Input((None,), dtype="int32", name=MASK_POSITIONS)
        head = keras_hub.layers.MaskedLMHead(
            token_embedding=backbone.token_embedding,
            intermediate_activation="gelu",
            layer_norm_epsilon=1e-12,
            # BERT's initialiser of new layers.
            kernel_initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            dtype=backbone.dtype_policy,
            name=HEAD_NAME,
        )
        logits = head(backbone.output["sequence_output"], positions)
        logits = keras.layers.Activation(
            "linear", dtype="float32", name="logits"
        )(logits)
        super().__init__(
            inputs={**backbone.input, MASK_POSITIONS: positions},
            outputs=logits,
            **kwargs,
        )
        self.backbone = backbone

    @property
    def head(self) -> Any:
        """The head, a keras-hub `MaskedLMHead`."""
        return self.get_layer(HEAD_NAME)

    @property
    def vocabulary_weights(self) -> list[Any]:
        """Weights with one row for each piece."""
        return [self.backbone.token_embedding.embeddings, self.head._bias]

    def label_losses(self, features: dict[str, Any], labels: Any) -> Any:
        """Losses of a batch in training; see `TensorFlowStep`.

        What calling the model and Keras' cross entropy give, up to rounding,
        in less time; see `guess_losses`.

        Args:
            features: the inputs of the model.
            labels: int32 `(batch, guesses)`, -1 for no guess.

        Returns:
            float32 `(batch, guesses)`, 0 where there is no guess.
        """
        inputs = {name: features[name] for name in self.backbone.input}
        hidden = self.backbone(inputs, training=True)["sequence_output"]
        places = keras.ops.expand_dims(features[MASK_POSITIONS], -1)
        vectors = keras.ops.take_along_axis(hidden, places, axis=1)
        vectors = self.head._intermediate_dense(vectors)
        vectors = self.head._intermediate_layer_norm(vectors)
        table, bias = (x.value for x in self.vocabulary_weights)
        return guess_losses.guess_losses(vectors, table, bias, labels)

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        return {"backbone": self.backbone, "name": self.name}

    @classmethod
    def from_config(cls, config: dict) -> "MaskedLM":
        """Rebuilds the model over the backbone in the configuration."""
        return cls(**config)


def own_weights(model: MaskedLM) -> dict[str, Any]:
    """Weights of the head that are not the embedding's, by name."""
    head = model.head
    return {
        "dense_kernel": head._intermediate_dense.kernel,
        "dense_bias": head._intermediate_dense.bias,
        "norm_gamma": head._intermediate_layer_norm.gamma,
        "norm_beta": head._intermediate_layer_norm.beta,
        "output_bias": head._bias,
    }


def save_head(model: MaskedLM, folder: pathlib.Path) -> None:
    """Writes the head's weights into the folder of a preset."""
    arrays = {
        name: keras.ops.convert_to_numpy(weight)
        for name, weight in own_weights(model).items()
    }
    with files.written_aside(folder / HEAD_FILE) as temporary:
        with temporary.open("wb") as file:
            np.savez(file, **arrays)


def load_head(model: MaskedLM, folder: pathlib.Path) -> bool:
    """Reads what `save_head` wrote, if the folder has it.

    Args:
        model: `MaskedLM` over the encoder in the folder.
        folder: folder of a preset; need not be one.

    Returns:
        Whether there was a head.

    Raises:
        ValueError: when the head is of another encoder, or damaged.
    """
    path = folder / HEAD_FILE
    if not path.is_file():
        return False
    try:
        with path.open("rb") as stream, np.load(stream) as file:
            arrays = dict(file)
        for name, weight in own_weights(model).items():
            weight.assign(arrays[name])
    except Exception as error:
        raise ValueError(
            f"{path} is no head of this encoder ({error}). Accepted: the file "
            "as an adaptation wrote it, or none."
        ) from error
    return True

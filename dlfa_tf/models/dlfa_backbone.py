"""Any keras-hub encoder with a lower block fused into the last one."""

import inspect
import os
from collections.abc import Sequence
from typing import Any

import keras
import keras_hub

from dlfa_tf import files
from dlfa_tf import manifest
from dlfa_tf import options
from dlfa_tf.models import checkpoint_encoders
from dlfa_tf.models import encoder_blocks
from dlfa_tf.models import fusing
from dlfa_tf.models import large_weights
from dlfa_tf.models import lora
from dlfa_tf.models import saved_folder
from dlfa_tf.models import sentence_vectors
from dlfa_tf.models import weight_sums
from dlfa_tf.models.presets import by_name
from dlfa_tf.models.sentence_vectors import POOLER_NAME
from dlfa_tf.models.sentence_vectors import POOLING_NAME
from dlfa_tf.types import Config


class _Untracked:
    """Holds an object that Keras must not track as a sublayer.

    The blocks of the encoder are layers of the fused model already. Tracking
    the encoder besides would count weights that the fused model does not use.
    """

    def __init__(self, value: Any) -> None:
        self.value = value


@keras.saving.register_keras_serializable(package="dlfa_tf")
class DLFABackbone(keras_hub.models.Backbone):
    """Encodes tokens and fuses a lower block with the last block.

    The paper's system D_x is `DLFABackbone(encoder, fusion_layer=x)`, its
    baseline `DLFABackbone(encoder)`, which computes exactly what the encoder
    computes. The blocks of `encoder` are used as they are, with their
    weights; only the fusion layer (equations 1 and 2) is new. An encoder
    without a pooler (RoBERTa, XLM-R, DistilBERT) gets a new one. To try
    another way of fusing, pass a layer of your own as `fusion`.

    `encoder.trainable = False` freezes the encoder and leaves the fusion
    layer; `enable_lora` does so too and adds low-rank factors to the encoder.
    Compile after either when the model has been trained before.

    Args:
        encoder: keras-hub encoder backbone whose blocks are named
            `transformer_layer_i` (BERT, XLM-R, RoBERTa, DistilBERT, ...).
        fusion_layer: int or None, the block fused with the last one. Counts
            as `hidden_states` does: 1 is the first block, 0 the embeddings
            (outside the paper). Defaults to `None`: the baseline.
        reduction_ratio: int, divisor of the width inside the branches of the
            fusion layer. Defaults to `4` (the ancestor's; the paper is
            silent).
        norm: `"layer"`, `"batch"` or `"none"`, normalisation inside the
            branches. Defaults to `"layer"` (our reading of the paper).
        gate: `"feature"` (equation 2 as it is written) or `"attention"`
            (the sigmoid alone, in (0, 1)). Defaults to `"feature"`.
        activation: activation inside the branches. Defaults to `"relu"`.
        pooling: `"mean"` or `"first"`, what the global branch reads.
            Defaults to `"mean"` over real tokens.
        mix_factor: float, factor of the mix. Defaults to `1.0` (equation 2;
            the ancestor's code has 2).
        first: `"low"` or `"high"`, which block is L1 of equation 2. Defaults
            to `"low"`.
        branches: `"both"`, `"local"` or `"global"`, the branches of the gate.
            Defaults to `"both"` (equation 1).
        initial_gate: float between 0 and 1, or None: what the sigmoid of the
            gate gives everywhere before training. Defaults to `None`: a
            random start.
        output_norm: `"none"` or `"layer"`, layer norm of the fused output.
            Defaults to `"none"` (equation 2).
        fusion: how the blocks are fused: `"dlfa"` (equation 2, with the
            options above), `"mean"` (plain mean of the two), `"scalar_mix"`
            (learned weighted mean of all blocks, `fusion_layer=None`), or a
            Keras layer called as `layer(low, high, padding_mask=mask)` with
            tensors `(batch, time, dim)`, registered for serialisation.
            Defaults to `"dlfa"`.
        last_layer: int or None, the block that counts as the last one; those
            above it are left out. Defaults to `None`: the last one there is.
        frozen_layers: int or None, the number of lowest blocks that are
            frozen together with the embeddings, also in `encoder`. Defaults
            to `None`: nothing is frozen.
        sentence_pooling: `"first"` (position 0, BERT's) or `"mean"` (over
            real tokens), what `pooled_output` is made of. Defaults to
            `"first"` (our reading of the paper).
        pooler: dense layer and tanh of `pooled_output`: `"encoder"` (the
            encoder's own, a new one where it has none), `"new"` (random
            start), `"identity"` (starts as the identity) or `"none"`.
            Defaults to `"encoder"`.
        output_hidden_states: sequence of ints, hidden states to return too,
            0 (embeddings) to the number of blocks. Defaults to none.
        dtype: dtype policy of the fusion layer and a new pooler. Defaults to
            the encoder's. Loading a saved model gives one policy to both, and
            to a `fusion` layer of your own that had the encoder's.
        name: str, name of the model. Defaults to a unique one.
        trainable: bool, False freezes all weights. Defaults to `True`.

    Call arguments:
        inputs: dict of the encoder's inputs: `token_ids`, `padding_mask` and,
            for BERT, `segment_ids`, each `(batch, time)`.

    Returns:
        dict with `sequence_output` `(batch, time, dim)`, `pooled_output`
        `(batch, dim)` (position 0 through dense and tanh by default) and,
        when asked for, `hidden_states`, a dict from "0", "1", ... to tensors
        `(batch, time, dim)`.

    Raises:
        ValueError: when the encoder has no named blocks, when a layer index
            or a number is out of range, or when a name is unknown. Options of
            the fusion layer are checked even where there is none.
        TypeError: when `encoder` is not a keras-hub backbone, when an index
            is not an int, or a number none.

    Example:
        import keras_hub
        import numpy as np
        from dlfa_tf.models import DLFABackbone

        encoder = keras_hub.models.BertBackbone(
            vocabulary_size=30, num_layers=3, num_heads=2, hidden_dim=8,
            intermediate_dim=16, max_sequence_length=16)
        backbone = DLFABackbone(encoder, fusion_layer=1)
        ids = np.array([[1, 5, 6, 2]])
        outputs = backbone({"token_ids": ids, "segment_ids": 0 * ids,
                            "padding_mask": ids > 0})
        outputs["sequence_output"].shape  # (1, 4, 8)

        backbone.save_to_preset("backbone")
        same = DLFABackbone.from_preset("backbone")
        for one in (backbone, same):
            one.enable_lora(2)  # trains few weights, which are saved alone
        backbone.save_lora_weights("trained.lora.h5")
        same.load_lora_weights("trained.lora.h5")

    Reference:
        - Chen et al. 2022, equations 1 and 2; section on D_x.
    """

    def __init__(
        self,
        encoder: keras_hub.models.Backbone,
        fusion_layer: int | None = None,
        reduction_ratio: int = options.REDUCTION_RATIO,
        norm: str = options.NORMS[0],
        gate: str = options.GATES[0],
        activation: str = options.ACTIVATION,
        pooling: str = options.POOLINGS[0],
        mix_factor: float = options.MIX_FACTOR,
        first: str = options.ORDERS[0],
        branches: str = options.BRANCHES[0],
        initial_gate: float | None = None,
        output_norm: str = options.OUTPUT_NORMS[0],
        fusion: Any = options.FUSIONS[0],
        last_layer: int | None = None,
        frozen_layers: int | None = None,
        sentence_pooling: str = options.SENTENCE_POOLINGS[0],
        pooler: str = options.POOLERS[0],
        output_hidden_states: Sequence[int] = (),
        dtype: Any = None,
        name: str | None = None,
        trainable: bool = True,
    ) -> None:
        num_layers = len(encoder_blocks.block_layers(encoder))
        last = encoder_blocks.check_last_layer(last_layer, num_layers)
        encoder_blocks.check_fusion_layer(fusion_layer, last)
        encoder_blocks.check_frozen_layers(frozen_layers, num_layers)
        fusion = fusing.check_fusion(fusion, fusion_layer)
        sentence_vectors.check_pooling(sentence_pooling, pooler)
        asked_for = encoder_blocks.check_hidden_states(
            output_hidden_states, num_layers
        )
        states = encoder_blocks.hidden_states(encoder)
        policy = encoder.dtype_policy if dtype is None else dtype
        dlfa_options = {
            "reduction_ratio": reduction_ratio,
            "norm": norm,
            "gate": gate,
            "activation": activation,
            "pooling": pooling,
            "mix_factor": mix_factor,
            "first": first,
            "branches": branches,
            "initial_gate": initial_gate,
            "output_norm": output_norm,
        }
        sequence_output = fusing.fused_output(
            fusion,
            states[: last + 1],
            fusion_layer,
            encoder.input["padding_mask"],
            dlfa_options,
            policy,
        )
        outputs = {
            "sequence_output": sequence_output,
            "pooled_output": sentence_vectors.pooled_output(
                encoder, sequence_output, sentence_pooling, pooler, policy
            ),
        }
        if asked_for:
            outputs["hidden_states"] = {str(i): states[i] for i in asked_for}
        super().__init__(
            inputs=encoder.input,
            outputs=outputs,
            dtype=policy,
            name=name,
        )
        self._encoder = _Untracked(encoder)
        self.fusion_layer = fusion_layer
        for option, value in dlfa_options.items():
            setattr(self, option, value)
        # A fusion layer of the user's is a layer of the graph already.
        self._fusion = _Untracked(fusion)
        self.last_layer = last_layer
        self.frozen_layers = frozen_layers
        self.sentence_pooling = sentence_pooling
        self.pooler = pooler
        self.output_hidden_states = asked_for
        self.num_layers = num_layers
        self.hidden_dim = sequence_output.shape[-1]
        self.token_embedding = encoder.token_embedding
        if frozen_layers is not None:
            encoder_blocks.freeze_blocks(encoder, frozen_layers)
        if not trainable:
            # Not by Keras' constructor, which would leave the layers as they
            # are: a task model around this one would train them.
            self.trainable = False

    @property
    def encoder(self) -> keras_hub.models.Backbone:
        """The encoder whose layers this model uses."""
        return self._encoder.value

    @property
    def fusion(self) -> Any:
        """Name of the fusion, or the layer that was given."""
        return self._fusion.value

    @property
    def sentence_vector(self) -> Any:
        """KerasTensor `(batch, dim)` of the graph: what the pooler reads."""
        if self.sentence_pooling == "mean":
            return self.get_layer(POOLING_NAME).output
        return self.output["sequence_output"][:, 0, :]

    @property
    def max_positions(self) -> int | None:
        """Pieces per row that the encoder takes; None for any number."""
        return encoder_blocks.max_positions(self.encoder)

    @property
    def has_new_pooler(self) -> bool:
        """Whether `pooled_output` comes from a pooler that was never trained.

        False too without any pooler.
        """
        if self.pooler == "none":
            return False
        return self.pooler != "encoder" or not (
            checkpoint_encoders.has_own_pooler(self.encoder, POOLER_NAME)
        )

    @property
    def gate_used(self) -> str | None:
        """`gate`; None for the baseline and for another fusion."""
        has_gate = self.fusion_layer is not None and self.fusion == "dlfa"
        return self.gate if has_gate else None

    def enable_lora(
        self, rank: int, target_layer_names: list[str] | None = None
    ) -> None:
        """Freezes the encoder and adds low-rank factors to some layers.

        Unlike keras-hub's, it leaves the layers that the encoder did not have
        as trainable as they were: the fusion layer, and a new pooler. `save`
        and `save_to_preset` merge the factors into the weights, and what they
        wrote is loaded without factors and not frozen.

        Args:
            rank: int, rank of the factors.
            target_layer_names: names of the layers that get factors. Defaults
                to query and value of every block.

        Raises:
            ValueError: for a rank below 1, when no layer has such a name, or
                when the encoder has factors already; the model stays as it
                was.
        """
        lora.check_rank(rank)
        lora.check_not_enabled(self, rank)
        if target_layer_names is None:
            target_layer_names = self.default_lora_layer_names()
        lora.check_has_targets(self, target_layer_names)
        new = [layer for layer in self._new_layers() if layer.trainable]
        super().enable_lora(rank, target_layer_names)
        for layer in new:
            layer.trainable = True

    def save_to_preset(self, preset_dir: str, **kwargs: Any) -> None:
        """Saves the model as a folder that `from_preset` reads.

        Args:
            preset_dir: str, the folder.
            **kwargs: further arguments of keras-hub's method.

        Raises:
            ValueError: when the fusion is a layer that is not registered.
            OSError: when the folder cannot be written; what was in it stays.
        """
        fusing.check_registered(self.fusion)
        with saved_folder.written(preset_dir, self) as folder:
            super().save_to_preset(str(folder), **kwargs)

    @classmethod
    def from_preset(
        cls, preset: str, load_weights: bool = True, **kwargs: Any
    ) -> Any:
        """Loads a backbone that `save_to_preset` saved.

        Args:
            preset: str, the folder.
            load_weights: bool. Defaults to `True`.
            **kwargs: further arguments of keras-hub's method.

        Raises:
            ValueError: when the folder is damaged, or holds something else.
            FileNotFoundError: when there is no such folder.
        """
        if isinstance(preset, str) and by_name.is_handle(preset):
            return super().from_preset(
                preset, load_weights=load_weights, **kwargs
            )
        folder = files.user_path(preset, "preset")
        saved_folder.check_class(folder, "dlfa_tf>DLFABackbone")
        with (
            manifest.checked(folder),
            large_weights.about_to_be_set(load_weights),
        ):
            return super().from_preset(
                str(folder.absolute()), load_weights=load_weights, **kwargs
            )

    def save_lora_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Saves all that was adapted: factors, biases, fusion, a new pooler.

        A task model's head is stored by `save_task_weights`.

        Args:
            filepath: file to write, whose name ends in `.lora.h5`.

        Raises:
            ValueError: without `enable_lora` before, or for another name.
        """
        with weight_sums.written(filepath) as temporary:
            super().save_lora_weights(str(temporary))
            lora.add_adapted(
                temporary, lora.adapted_weights(self, self._new_layers())
            )

    def load_lora_weights(self, filepath: str | os.PathLike[str]) -> None:
        """Loads what `save_lora_weights` saved, into an equal model.

        Args:
            filepath: file to read.

        Raises:
            ValueError: when the file is damaged, or ranks or fusion layers
                differ.
        """
        filepath = files.user_path(filepath, "filepath")
        weight_sums.check(filepath)
        super().load_lora_weights(str(filepath))
        lora.read_adapted(
            filepath, lora.adapted_weights(self, self._new_layers())
        )

    def _new_layers(self) -> list[Any]:
        """Layers that the encoder does not have."""
        # Not by name: a new pooler is called as the encoder's own.
        own = {id(layer) for layer in self.encoder.layers}
        return [
            layer
            for layer in self.layers
            if layer.weights and id(layer) not in own
        ]

    def get_config(self) -> dict:
        """Returns the constructor's arguments."""
        config = super().get_config()
        policy: Any = self.dtype_policy
        _name_default_policy(
            config["dtype"], getattr(policy, "default_policy", policy).name
        )
        config["encoder"] = keras.saving.serialize_keras_object(self.encoder)
        config.update({name: getattr(self, name) for name in FUSION_ARGUMENTS})
        if not isinstance(self.fusion, str):
            config["fusion"] = keras.saving.serialize_keras_object(self.fusion)
        return config

    @classmethod
    def from_config(cls, config: dict) -> "DLFABackbone":
        """Rebuilds the model; a given `dtype` holds for the encoder too."""
        config = dict(config)
        if isinstance(config.get("dtype"), dict):
            config["dtype"] = keras.dtype_policies.get(config["dtype"])
        if isinstance(config["encoder"], dict):
            encoder, fusion = config["encoder"], config.get("fusion")
            if config.get("dtype") is not None:
                # A user's layer in another policy was given it on purpose.
                followed = _dtype(encoder)
                if isinstance(fusion, dict) and _dtype(fusion) == followed:
                    config["fusion"] = _with_dtype(fusion, config["dtype"])
                encoder = _with_dtype(encoder, config["dtype"])
            config["encoder"] = keras.saving.deserialize_keras_object(encoder)
        return cls(**config)


# Arguments besides the encoder and what every Keras model takes.
FUSION_ARGUMENTS = tuple(
    name
    for name in inspect.signature(DLFABackbone.__init__).parameters
    if name not in ("self", "encoder", "dtype", "name", "trainable")
)


def _dtype(saved: Config) -> Any:
    """Policy in the configuration of a layer; None where it has none."""
    return saved.get("config", {}).get("dtype")


def _with_dtype(saved: Config, dtype: Any) -> Config:
    """The configuration of a layer with another policy."""
    return {**saved, "config": {**saved["config"], "dtype": dtype}}


def _name_default_policy(saved: Config, name: str) -> None:
    """Writes into a saved map of policies which one the others come from.

    keras-hub leaves that to the global policy of whoever loads the model.
    """
    if saved["class_name"] != "DTypePolicyMap":
        return
    policies = saved["config"]
    if policies["default_policy"] is None:
        policies["default_policy"] = name
        for policy in policies["policy_map"].values():
            policy["config"]["source_name"] = name

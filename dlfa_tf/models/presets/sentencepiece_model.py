"""A SentencePiece model put together from a list of pieces."""

from typing import Any

import numpy as np

_FIRST_PIECES = ["<s>", "<pad>", "</s>", "<unk>"]
_LAST_PIECE = "<mask>"


def sentencepiece_proto(
    pieces: list[str], scores: np.ndarray, charsmap: bytes | None = None
) -> bytes:
    """Makes the SentencePiece model of a vocabulary in fairseq's order.

    The order is that of XLM-R: `<s> <pad> </s> <unk>`, the pieces, `<mask>`.
    keras-hub adds `<pad>` and `<mask>` itself, so the model holds neither. It
    is a serialised unigram model; `scores` are log probabilities, `charsmap`
    the rules of its normaliser, by default those of `nmt_nfkc`.
    """
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    if pieces[:4] != _FIRST_PIECES or pieces[-1] != _LAST_PIECE:
        raise ValueError(
            f"The vocabulary is not in XLM-R's order. Received: {pieces[:4]} "
            f"... {pieces[-1]!r}. Accepted: {_FIRST_PIECES} ... "
            f"{_LAST_PIECE!r}."
        )
    # Generated code, whose classes type checkers do not see.
    messages: Any = sentencepiece_model_pb2
    model = messages.ModelProto()
    normalizer = sentencepiece.SentencePieceNormalizer(rule_name="nmt_nfkc")
    model.ParseFromString(normalizer.serialized_model_proto())
    if charsmap is not None:
        model.normalizer_spec.precompiled_charsmap = charsmap
    trainer = model.trainer_spec
    trainer.model_type = messages.TrainerSpec.UNIGRAM
    trainer.unk_id, trainer.bos_id, trainer.eos_id, trainer.pad_id = 0, 1, 2, -1
    kinds = messages.ModelProto.SentencePiece
    del model.pieces[:]
    model.pieces.add(piece="<unk>", score=0.0, type=kinds.UNKNOWN)
    model.pieces.add(piece="<s>", score=0.0, type=kinds.CONTROL)
    model.pieces.add(piece="</s>", score=0.0, type=kinds.CONTROL)
    for piece, score in zip(pieces[4:-1], scores[4:-1].tolist(), strict=True):
        model.pieces.add(piece=piece, score=score)
    trainer.vocab_size = len(model.pieces)
    return model.SerializeToString()

"""Which pieces of a batch are hidden, by seed and number of the step.

keras-hub's `MaskedLMMaskGenerator` draws from TensorFlow's global generator: a
run that goes on would hide other pieces than an undisturbed one. It also knows
no words.
"""

import dataclasses
import math
from typing import Any

import numpy as np

from dlfa_tf.preprocessing.base_preprocessor import IGNORED_LABEL

# Of the pieces to guess, this share is replaced by the mask piece, and this
# by a random one; the rest stays.
_SHARE_MASKED = 0.8
_SHARE_RANDOM = 0.1
# More pieces than this are no word, but a script without spaces.
_LONGEST_WORD = 8


@dataclasses.dataclass(frozen=True, kw_only=True)
class Masking:
    """How pieces of a batch are hidden.

    Attributes:
        mask_id: int, id of the mask piece.
        never: int32 array of ids that are never hidden: special pieces.
        vocabulary_size: int, ids to draw random pieces from.
        rate: float, share of the other pieces that is to be guessed.
        continues: bool `(vocabulary_size,)`, whether a piece goes on with a
            word; None hides piece by piece.

    Reference:
        - Devlin et al. 2019, BERT, section 3.1, task 1.
    """

    mask_id: int
    never: np.ndarray
    vocabulary_size: int
    rate: float
    continues: np.ndarray | None = None

    def hide(
        self, features: dict[str, np.ndarray], seed: list[int]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """Hides pieces of a batch.

        Args:
            features: `token_ids` int32, `padding_mask` bool and what else the
                encoder takes, each `(rows, time)`.
            seed: list of ints, the same for the same batch.

        Returns:
            The features with other `token_ids` and with `mask_positions`,
            int32 `(rows, guesses)`; and labels, int32 of that shape: the ids
            that were there, -1 where a row has fewer guesses.
        """
        random = np.random.default_rng(seed)
        ids = features["token_ids"]
        free = features["padding_mask"] & ~np.isin(ids, self.never)
        counts = self._counts(free.sum(1))
        positions = self._positions(ids, free, random)
        wanted = np.arange(positions.shape[1]) < counts[:, None]
        if self.continues is not None:
            wanted &= self._whole(ids, free, positions, counts)
        labels = np.take_along_axis(ids, positions, 1)
        shown = self._shown(labels, random)
        hidden = ids.copy()
        rows = np.arange(len(ids))[:, None]
        hidden[
            np.broadcast_to(rows, wanted.shape)[wanted], positions[wanted]
        ] = shown[wanted]
        return (
            {
                **features,
                "token_ids": hidden,
                "mask_positions": np.where(wanted, positions, 0).astype(
                    np.int32
                ),
            },
            np.where(wanted, labels, IGNORED_LABEL).astype(np.int32),
        )

    def _counts(self, free: np.ndarray) -> np.ndarray:
        """Guesses of every row; one where there is a piece at all."""
        counts = np.rint(free * self.rate).astype(int)
        return np.minimum(np.maximum(counts, 1), free)

    def _positions(
        self,
        ids: np.ndarray,
        free: np.ndarray,
        random: np.random.Generator,
    ) -> np.ndarray:
        """Positions in the order in which they are hidden.

        Their number depends on the width of the batch alone, so that steps of
        one width are of one shape.
        """
        scores = random.random(ids.shape)
        if self.continues is not None:
            # All pieces of a word have the score of its first one.
            scores = np.take_along_axis(scores, self._first(ids, free), 1)
        scores[~free] = 2.0
        width = math.ceil(ids.shape[1] * self.rate)
        return np.argsort(scores, axis=1, kind="stable")[:, :width]

    def _first(self, ids: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Position of the first piece of the word of every position."""
        starts = ~self._goes_on(ids, free)
        place = np.arange(ids.shape[1])
        first = np.maximum.accumulate(np.where(starts, place, 0), axis=1)
        lengths = np.zeros_like(first)
        np.add.at(lengths, (np.arange(len(ids))[:, None], first), 1)
        # Pieces of a script without spaces are words of their own.
        long = np.take_along_axis(lengths, first, 1) > _LONGEST_WORD
        return np.where(long, place, first)

    def _goes_on(self, ids: np.ndarray, free: np.ndarray) -> np.ndarray:
        """Whether a position goes on with the word before it."""
        if self.continues is None:
            return np.zeros(ids.shape, bool)
        goes_on = self.continues[ids] & free
        goes_on[:, 0] = False
        goes_on[:, 1:] &= free[:, :-1]
        return goes_on

    def _whole(
        self,
        ids: np.ndarray,
        free: np.ndarray,
        positions: np.ndarray,
        counts: np.ndarray,
    ) -> np.ndarray:
        """Leaves out the last word when only part of it would be hidden."""
        first = self._first(ids, free)
        sizes = np.zeros_like(first)
        np.add.at(sizes, (np.arange(len(ids))[:, None], first), free)
        words = np.take_along_axis(first, positions, 1)
        places = np.arange(positions.shape[1])
        new = np.ones(words.shape, bool)
        new[:, 1:] = words[:, 1:] != words[:, :-1]
        began = np.maximum.accumulate(np.where(new, places, 0), axis=1)
        ends = began + np.take_along_axis(sizes, words, 1)
        # The first word is hidden as far as there are guesses.
        return (ends <= counts[:, None]) | (began == 0)

    def _shown(
        self, labels: np.ndarray, random: np.random.Generator
    ) -> np.ndarray:
        """What stands in place of the pieces to guess."""
        draw = random.random(labels.shape)
        other = random.integers(self.vocabulary_size, size=labels.shape)
        shown = np.where(draw < _SHARE_MASKED, self.mask_id, labels)
        changed = (draw >= _SHARE_MASKED) & (
            draw < _SHARE_MASKED + _SHARE_RANDOM
        )
        return np.where(changed, other, shown)


def continuing_pieces(tokenizer: Any) -> np.ndarray:
    """Whether each id of a vocabulary goes on with a word.

    WordPiece marks pieces that do ("##ing"), SentencePiece those that do not
    ("▁the").

    Args:
        tokenizer: keras-hub tokenizer.

    Returns:
        bool `(vocabulary_size,)`.
    """
    vocabulary = tokenizer.get_vocabulary()
    if any(piece.startswith("▁") for piece in vocabulary):
        return np.array([not piece.startswith("▁") for piece in vocabulary])
    return np.array([piece.startswith("##") for piece in vocabulary])

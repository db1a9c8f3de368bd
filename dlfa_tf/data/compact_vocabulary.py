"""Training on the embedding rows in use, which is exact and much cheaper.

An English fine-tuning set touches a few per cent of a multilingual
vocabulary. A row that no token looks up has gradient 0, and Adam without
weight decay leaves it as it is, so training a model that holds only the other
rows gives the same result with a fraction of the optimizer's work and memory.
"""

import dataclasses

import numpy as np

from dlfa_tf.data.arrays import TokenArrays


def used_token_ids(special_ids: list[int], *arrays: TokenArrays) -> np.ndarray:
    """Sorted int32 ids that occur in the arrays or are special."""
    parts = [np.unique(a.token_ids) for a in arrays]
    parts.append(np.array(special_ids, np.int32))
    return np.unique(np.concatenate(parts)).astype(np.int32)


def compact_arrays(arrays: TokenArrays, used: np.ndarray) -> TokenArrays:
    """Renumbers token ids by their place in `used`; refuses one not in it."""
    place = np.searchsorted(used, arrays.token_ids)
    place = np.minimum(place, len(used) - 1)
    if not np.array_equal(used[place], arrays.token_ids):
        raise ValueError("`arrays` hold token ids that are not in `used`.")
    return dataclasses.replace(arrays, token_ids=place.astype(np.int32))

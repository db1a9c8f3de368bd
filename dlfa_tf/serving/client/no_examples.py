"""The answer to a request without examples, which no server is sent.

A server that joins requests to batches never answers one, and one that fills
its batches up with copies of a row aborts when the last request has none.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence

from dlfa_tf import checks
from dlfa_tf.serving.client.errors import CallerError


def answer(
    signatures: Mapping[str, tuple[list[str], list[str]]],
    inputs: Iterable[str],
    signature: str,
    outputs: Sequence[str],
) -> dict[str, list]:
    """No rows of every output, or of those named.

    `signatures` goes from name to the names of inputs and outputs. CallerError
    for names that the server would refuse.
    """
    if signature not in signatures:
        raise CallerError(
            "FAILED_PRECONDITION",
            f"Signature {signature!r} is not known. Accepted: "
            f"{', '.join(signatures)}."
            + checks.nearest_hint(signature, signatures),
        )
    accepted_inputs, accepted_outputs = signatures[signature]
    if set(inputs) != set(accepted_inputs):
        raise CallerError(
            "INVALID_ARGUMENT",
            f"Signature {signature!r} takes {accepted_inputs}. Received: "
            f"{sorted(inputs)}.",
        )
    unknown = sorted(set(outputs) - set(accepted_outputs))
    if unknown:
        raise CallerError(
            "INVALID_ARGUMENT",
            f"Signature {signature!r} answers {accepted_outputs}. Received: "
            f"{unknown}.",
        )
    return {name: [] for name in outputs or accepted_outputs}

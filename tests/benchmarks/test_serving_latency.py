"""A tiny case of the benchmark of serving; the peers need an environment."""

import pytest

from benchmarks import serving_latency

EXPORTS = ["session", "baseline", "bfloat16", "int8", "int8_bfloat16"]


@pytest.mark.slow
def test_tiny_model_is_measured(monkeypatch, lines_of):
    for name in ("TF_NUM_INTRAOP_THREADS", "TF_NUM_INTEROP_THREADS"):
        monkeypatch.setenv(name, "1")
    lines = lines_of(
        serving_latency, "--preset=tiny_sentencepiece", "--fusion_layer=1",
        "--max_batch_size=2", "--repeats=2", "--share_repeats=3",
    )  # fmt: skip
    sizes, cases, shares = (
        lines[: len(EXPORTS)], lines[len(EXPORTS) : -3], lines[-3:]
    )  # fmt: skip
    assert [line["case"] for line in sizes] == [f"size, {x}" for x in EXPORTS]
    for line in sizes:
        assert line["export_bytes"] > line["weights_bytes"] > 0
        assert line["memory_bytes"] > 0
    names = ["batch 1, short", "batch 1, long", "batch 2, mixed"]
    assert [case["case"] for case in cases] == names
    for case in cases:
        assert set(case["seconds"]) == {*EXPORTS, "client"}
        assert all(s["median"] > 0 for s in case["seconds"].values())
        assert case["peers"] is None
    assert [x["case"] for x in shares] == [f"fusion, {x}" for x in names]
    for share in shares:
        ratio = share["with_to_without_fusion_ratio"]
        assert 0 < ratio["low"] <= ratio["median"] <= ratio["high"]
        assert ratio["repeats"] == 3


def test_cases_are_pairs_of_equal_number():
    for first, second in serving_latency.cases(32).values():
        assert len(first) == len(second)
    first, second = serving_latency.cases(32)["batch 32, mixed"]
    words = [
        len((a + " " + b).split()) for a, b in zip(first, second, strict=True)
    ]
    # As in XNLI: mean 27.56 words (the quantiles of its English test pairs).
    assert sum(words) / 32 == 27.5625
    assert max(words) == 48

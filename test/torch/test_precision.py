"""The precision is the one that is faster here."""

import pytest

torch = pytest.importorskip("torch", reason="torch is not installed; run 'make test-torch'")

from alpamayo_ros.training import precision  # noqa: E402


@pytest.mark.parametrize("faster", ["float32", "bfloat16"])
def test_the_faster_one_is_taken(monkeypatch: pytest.MonkeyPatch, faster: str) -> None:
    monkeypatch.setattr(precision, "_seconds", lambda kind: 1.0 if kind is getattr(torch, faster) else 2.0)
    assert precision.faster_precision(torch.device("cpu")) is getattr(torch, faster)


def test_both_are_timed_here() -> None:
    assert precision.faster_precision(torch.device("cpu")) in {torch.float32, torch.bfloat16}
    assert precision.faster_precision(torch.device("cuda")) is torch.bfloat16

"""Which precision trains faster on this machine: a CPU may only emulate bfloat16, ten times slower than float32."""

import time

import torch
from torch import nn

TRIES = 3


def faster_precision(device: torch.device) -> torch.dtype:
    """Return bfloat16 where a convolution and a matrix product are faster in it, else float32.

    On a GPU bfloat16 is taken unasked. On a CPU both are timed, a tenth of a second in all where bfloat16 is no match.
    """
    if device.type != "cpu":
        return torch.bfloat16
    return min((torch.float32, torch.bfloat16), key=_seconds)


def _seconds(precision: torch.dtype) -> float:
    """Return the shortest time of a forward and backward pass."""
    convolve = nn.Conv2d(32, 32, 3, padding=1).to(memory_format=torch.channels_last)
    multiply = nn.Linear(32, 128)
    pictures = torch.randn(4, 32, 24, 40, requires_grad=True).to(memory_format=torch.channels_last)
    times = []
    for _ in range(TRIES):
        begun = time.perf_counter()
        with torch.autocast("cpu", torch.bfloat16, enabled=precision is torch.bfloat16):
            multiply(convolve(pictures).flatten(2).transpose(1, 2)).float().mean().backward()
        times.append(time.perf_counter() - begun)
    return min(times)

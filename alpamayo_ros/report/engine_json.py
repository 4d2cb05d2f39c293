"""A comparison of two ways of running one model as a JSON document."""

import math
from dataclasses import asdict
from typing import Any

from alpamayo_ros.structs.engine_comparison import EngineComparison


def engine_comparison_document(comparison: EngineComparison) -> dict[str, Any]:
    """Return the comparison as plain values; a difference that is not finite is null."""
    first_apart = comparison.first_apart
    return {
        "first": asdict(comparison.first),
        "second": asdict(comparison.second),
        "source": comparison.source,
        "tolerances": comparison.tolerances,
        "outputs": [
            {**asdict(one), "largest": one.largest if math.isfinite(one.largest) else None, "within": one.within}
            for one in comparison.outputs
        ],
        "shares": dict(comparison.shares),
        "ticks": [asdict(tick) for tick in comparison.ticks],
        "first_apart": None if first_apart is None else asdict(first_apart),
        "failures": list(comparison.failures),
        "exceeded": list(comparison.exceeded),
        "within": comparison.compared and not comparison.exceeded,
    }

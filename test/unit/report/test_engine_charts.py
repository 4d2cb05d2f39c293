"""The picture of a comparison: drawn for whatever was found, the same bytes each time."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from alpamayo_ros.report.engine_charts import draw_engine_comparison
from alpamayo_ros.report.engine_json import engine_comparison_document
from alpamayo_ros.structs.engine_comparison import EngineComparison, EngineSide, OutputDifference, TickAgreement

SIDE = EngineSide("nano@ort_cpu", "nano", "ort_cpu", {"engine": "sha256:0"}, {"onnxruntime": "1"})
OUTPUT = OutputDifference("reason", "logits", "logit", 40, 9000, 2e-6, 1e-7, 3.0, 0.05)
TICK = TickAgreement(1_000_000_000, "", True, True, True, 1e-4, 2e-4, ("I brake.", "I brake."))


def comparison(**changes: object) -> EngineComparison:
    ticks = tuple(replace(TICK, t0_ns=TICK.t0_ns + 100_000_000 * number, ade_m=1e-4 * number) for number in range(9))
    given = EngineComparison(
        SIDE, replace(SIDE, name="nano@torch", backend="torch"), "bag demo", "engine sha256:1", (OUTPUT,), ticks
    )
    return replace(given, **changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"ticks": ()},
        {"outputs": (OUTPUT, replace(OUTPUT, largest=float("inf")), replace(OUTPUT, largest=0.0, mean=0.0))},
        {"ticks": (replace(TICK, same_text=False, stage="reason"),)},
        {"source": "bag \x1b[31m" + "x" * 500},
    ],
    ids=["usual", "no ticks", "infinite and zero", "one tick apart", "hostile name"],
)
def test_it_is_drawn(changes: dict[str, object]) -> None:
    found = comparison(**changes)
    data = draw_engine_comparison(found)
    assert data == draw_engine_comparison(found)
    picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    assert picture.std() > 5.0


def test_more_than_allowed_has_another_colour() -> None:
    far = comparison(outputs=(replace(OUTPUT, largest=1.0),))
    assert draw_engine_comparison(far) != draw_engine_comparison(comparison())


def test_the_document_has_no_number_that_json_has_not() -> None:
    found = comparison(outputs=(replace(OUTPUT, largest=float("inf")),), exceeded=("far",))
    document = engine_comparison_document(found)
    assert document["outputs"][0]["largest"] is None
    assert document["outputs"][0]["within"] is False
    assert document["within"] is False
    assert document["first_apart"] is None
    assert engine_comparison_document(comparison())["within"] is True

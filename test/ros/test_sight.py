"""What cameras and a detector say is the same in process and in the graph, and diagnostics show it."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from alpamayo_ros.lineage.canonical import bytes_id
from alpamayo_ros.messages.stage_translator import observation_struct
from alpamayo_ros.messages.topics import NAMESPACE
from alpamayo_ros.nodes.perception_node import PerceptionNode
from alpamayo_ros.nodes.reasoning_node import ReasoningNode
from alpamayo_ros.ros.lockstep import start_graph
from alpamayo_ros.structs.camera_health import SightState
from alpamayo_ros.structs.verdict import ReplayResult

pytestmark = pytest.mark.ros

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "test" / "profiles"
START_NS = 1_700_000_000_000_000_000
STEP_NS = 100_000_000
Harness = Any


def detector_parameters(folder: Path) -> str:
    """Write a FastestDet that sees one car whatever it looks at; return the parameters that name it."""
    output = np.zeros((1, 85, 2, 2), dtype=np.float32)
    output[0, 0, 0, 0] = output[0, 5 + 2, 0, 0] = 0.9
    nodes = [
        onnx.helper.make_node("ReduceMin", ["pictures"], ["least"], keepdims=0),
        onnx.helper.make_node("Mul", ["least", "nothing"], ["zero"]),
        onnx.helper.make_node("Add", ["said", "zero"], ["out"]),
    ]
    tensors = {"said": output, "nothing": np.float32(0.0)}
    graph = onnx.helper.make_graph(
        nodes,
        "detector",
        [onnx.helper.make_tensor_value_info("pictures", onnx.TensorProto.FLOAT, [1, 3, 32, 32])],
        [onnx.helper.make_tensor_value_info("out", onnx.TensorProto.FLOAT, [1, 85, 2, 2])],
        [onnx.numpy_helper.from_array(np.asarray(value), name) for name, value in tensors.items()],
    )
    model = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 17)], ir_version=8)
    path = folder / "detector.onnx"
    path.write_bytes(model.SerializeToString())
    digest = bytes_id(path.read_bytes())
    return f"detector_model: {path}, detector_sha256: '{digest}', detector_form: fastestdet"


@pytest.mark.parametrize(
    "limits", ["blur_error: 0.2, blur_warn: 0.1", "too_dark_error: 1.1"], ids=["some rejected", "none rejected"]
)
def test_ticks_that_a_cameras_health_rejects_are_the_same_everywhere(
    replay: Callable[..., ReplayResult], short_drive: Path, tmp_path: Path, limits: str
) -> None:
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(
        f"perception:\n  ros__parameters: {{reject_camera_error: true, {limits}, {detector_parameters(tmp_path)}}}\n",
        encoding="utf-8",
    )
    options: dict[str, Any] = {"profile": str(PROFILES / "demo_four.yaml"), "parameters": parameters}
    in_process = replay(short_drive, **options)
    if "blur" in limits:
        assert in_process.ticks["CAMERA_UNHEALTHY"] >= 10
    else:
        assert in_process.ticks["ANSWERED"] >= 40
    for start in (start_graph, partial(start_graph, composed=True)):
        other = replay(short_drive, start, **options)
        assert dict(other.ticks) == dict(in_process.ticks)
        assert other.output_digest == in_process.output_digest
        assert other.lineage.lineage_id == in_process.lineage.lineage_id


def test_a_dark_camera_is_shown_in_diagnostics_and_in_the_observation(
    make_harness: Callable[..., Harness], odometry_payload: Callable[..., bytes], tmp_path: Path
) -> None:
    parameters = tmp_path / "parameters.yaml"
    parameters.write_text(f"perception:\n  ros__parameters: {{{detector_parameters(tmp_path)}}}\n", encoding="utf-8")
    arguments = ("-p", f"profile:={PROFILES / 'one_camera.yaml'}", "-p", f"parameter_file:={parameters}")
    harness = make_harness(*arguments)
    harness.hear("observation")
    for kind, key in ((PerceptionNode, "perception"), (ReasoningNode, "reasoning")):
        harness.add(kind(key, context=harness.context))
    odometry = harness.publisher(f"{NAMESPACE}/perception/input/odometry", "nav_msgs/msg/Odometry")
    pictures = harness.publisher(f"{NAMESPACE}/perception/input/camera/front", "sensor_msgs/msg/Image")
    harness.spin_until(lambda: all(node.state_label == "active" for node in harness.nodes), "no node became active")
    for publisher in (odometry, pictures):
        harness.await_match(publisher)
    image = pictures.msg_type
    for index in range(30):
        stamp_ns = START_NS + index * STEP_NS
        odometry.publish(odometry_payload(stamp_ns, 0.8 * index))
        message = image(height=18, width=32, encoding="rgb8", step=96, data=bytes([2 + index % 2]) * 18 * 96)
        message.header.frame_id = "front"
        message.header.stamp.sec, message.header.stamp.nanosec = divmod(stamp_ns, 10**9)
        pictures.publish(message)
        harness.spin_for(0.02)
    harness.await_present("perception", "camera front: too_dark 1, ERROR from 0.95 on, blackout 1, ERROR from 0.95 on")
    assert harness.values[f"{NAMESPACE}/perception"]["actors detected"] == "1 car"
    harness.spin_until(lambda: bool(harness.heard["observation"]), "no observation was heard")
    observation = observation_struct(harness.heard["observation"][-1])
    assert [(health.camera, health.state) for health in observation.camera_health] == [("front", SightState.ERROR)]
    (actor,) = observation.actors
    assert (actor.label, actor.camera, actor.id) == ("car", "front", "front/0")
    # The sizes are half the picture's, which reaches over its upper and left edges.
    assert actor.box_px == pytest.approx((0.0, 0.0, 8.0, 4.5))

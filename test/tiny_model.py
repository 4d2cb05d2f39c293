"""A split model of the real interface with a few random weights: vision encoder, reasoning decoder, action expert.

What it says is a script, or what its weights happen to say; states and actions depend on every input.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from alpamayo_ros.reasoning.driving_language import vocabulary

WIDTH = 8
CAMERAS, FRAMES, ROWS, COLUMNS = 4, 2, 96, 160
VISION_TOKENS = CAMERAS * FRAMES
PREFIX = VISION_TOKENS + 2
"""Entries of the cache before the first token: vision tokens, history, navigation."""

PROFILE = Path(__file__).resolve().parents[1] / "config" / "profiles" / "nano.yaml"


def write_tiny_model(
    folder: Path, script: Sequence[int] | None = None, *, gain: float = 1.0, blind: bool = False
) -> Path:
    """Write the model into ``folder/tiny`` and a profile that uses it beside it.

    Args:
        folder: Where to write.
        script: Ids that it says after the first token; None for whatever its weights say.
        gain: Factor of its weights.
        blind: Whether its vision encoder gives what is not finite.

    Returns:
        The profile file.
    """
    model = folder / "tiny"
    model.mkdir(parents=True)
    tokens = vocabulary()
    weights = _Weights(gain, len(tokens))
    onnx.save(_vision(weights, np.inf if blind else 1.0), model / "vision.onnx")
    onnx.save(_reasoning(weights, script), model / "reasoning.onnx")
    onnx.save(_action(weights), model / "action.onnx")
    (model / "vocabulary.json").write_text(json.dumps(tokens), encoding="utf-8")
    write_model_document(model)
    profile = folder / "tiny.yaml"
    profile.write_text(PROFILE.read_text(encoding="utf-8").replace("model: nano", "model: ./tiny"), encoding="utf-8")
    return profile


def write_model_document(model: Path, **changes: Any) -> None:
    """Write ``model.yaml`` for the files that are there."""
    files = {
        path.name: f"sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"
        for path in sorted(model.iterdir())
        if path.name != "model.yaml"
    }
    document = {
        "name": "tiny",
        "version": "1",
        "files": files,
        "actions": {"mean": [0.1, 0.0], "std": [0.8, 0.02]},
        "dataset": f"sha256:{'d' * 64}",
        "provenance": {"command": "test", "seed": 0},
    }
    # JSON is YAML.
    (model / "model.yaml").write_text(json.dumps(document | changes), encoding="utf-8")


class _Weights:
    """Named random weights, the same for every process."""

    def __init__(self, gain: float, vocabulary_size: int) -> None:
        self.vocabulary_size = vocabulary_size
        self._gain = gain

    def tensor(self, name: str, *shape: int) -> Any:
        seed = int.from_bytes(hashlib.sha256(name.encode()).digest()[:4], "big")
        values = np.random.Generator(np.random.PCG64(seed)).standard_normal(shape) * self._gain
        return numpy_helper.from_array(values.astype(np.float32), name)


def _integers(name: str, *values: int) -> Any:
    return numpy_helper.from_array(np.array(values, dtype=np.int64), name)


def _scalar(name: str, value: float) -> Any:
    return numpy_helper.from_array(np.array(value, dtype=np.float32), name)


def _model(nodes: list[Any], inputs: list[Any], outputs: list[Any], constants: list[Any]) -> Any:
    graph = helper.make_graph(nodes, "tiny", inputs, outputs, constants)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=9)
    onnx.checker.check_model(model)
    return model


def _value(name: str, kind: int, *shape: int | str) -> Any:
    return helper.make_tensor_value_info(name, kind, shape)


def _vision(weights: _Weights, sharpness: float) -> Any:
    node = helper.make_node
    return _model(
        [
            node("Cast", ["images"], ["pixels"], to=TensorProto.FLOAT),
            node("ReduceMean", ["pixels"], ["means"], axes=[2, 3], keepdims=0),
            node("Reshape", ["means", "rows"], ["colours"]),
            node("Div", ["colours", "white"], ["light"]),
            node("MatMul", ["light", "eye"], ["seen"]),
            node("Tanh", ["seen"], ["bounded"]),
            node("Mul", ["bounded", "sharpness"], ["vision_tokens"]),
        ],
        [_value("images", TensorProto.UINT8, CAMERAS, FRAMES, ROWS, COLUMNS, 3)],
        [_value("vision_tokens", TensorProto.FLOAT, VISION_TOKENS, WIDTH)],
        [
            _integers("rows", VISION_TOKENS, 3),
            _scalar("white", 255.0),
            _scalar("sharpness", sharpness),
            weights.tensor("eye", 3, WIDTH),
        ],
    )


def _reasoning(weights: _Weights, script: Sequence[int] | None) -> Any:
    node, size = helper.make_node, weights.vocabulary_size
    nodes = [
        node("Gather", ["embedding", "tokens"], ["embedded"]),
        node("Reshape", ["history", "flat"], ["past"]),
        node("MatMul", ["past", "memory"], ["remembered"]),
        node("Gather", ["ways", "navigation"], ["way"]),
        node("Concat", ["vision_tokens", "remembered", "way", "embedded"], ["entries"], axis=0),
        node("Reshape", ["entries", "entry_shape"], ["keys"]),
        node("Neg", ["keys"], ["values"]),
        node("Concat", ["keys", "values"], ["new"], axis=1),
        node("Concat", ["cache", "new"], ["grown_cache"], axis=3),
        node("ReduceMean", ["grown_cache"], ["mean_of_cache"], axes=[0, 2, 3], keepdims=0),
        node("Gather", ["mean_of_cache", "zero"], ["context"]),
        node("Add", ["embedded", "context"], ["mixed"]),
        node("Tanh", ["mixed"], ["states"]),
        node("MatMul", ["states", "mouth"], ["spoken"]),
    ]
    constants = [
        weights.tensor("embedding", size, WIDTH),
        weights.tensor("memory", 64, WIDTH),
        weights.tensor("ways", 4, WIDTH),
        weights.tensor("mouth", WIDTH, size),
        _integers("flat", -1, 64),
        _integers("entry_shape", 1, 1, 1, -1, WIDTH),
        _integers("zero", 0),
    ]
    if script is None:
        nodes.append(node("Identity", ["spoken"], ["logits"]))
    else:
        # The token after the first is the script's first, and so on; after its last one it says that one again.
        nodes += [
            node("Shape", ["grown_cache"], ["length"], start=3, end=4),
            node("Sub", ["length", "prefix"], ["place"]),
            node("Min", ["place", "last"], ["known_place"]),
            node("Gather", ["script", "known_place"], ["next"]),
            node("OneHot", ["next", "depth", "loudness"], ["shouted"]),
            node("Add", ["spoken", "shouted"], ["logits"]),
        ]
        constants += [
            _integers("prefix", PREFIX + 1),
            _integers("last", len(script) - 1),
            _integers("script", *script),
            _integers("depth", size),
            numpy_helper.from_array(np.array([0.0, 50.0], dtype=np.float32), "loudness"),
        ]
    return _model(
        nodes,
        [
            _value("vision_tokens", TensorProto.FLOAT, "P", WIDTH),
            _value("history", TensorProto.FLOAT, "h", 16, 4),
            _value("navigation", TensorProto.INT64, "h"),
            _value("tokens", TensorProto.INT64, "S"),
            _value("cache", TensorProto.FLOAT, 1, 2, 1, "T", WIDTH),
        ],
        [
            _value("logits", TensorProto.FLOAT, "S", size),
            _value("states", TensorProto.FLOAT, "S", WIDTH),
            _value("grown_cache", TensorProto.FLOAT, 1, 2, 1, "G", WIDTH),
        ],
        constants,
    )


def _action(weights: _Weights) -> Any:
    node = helper.make_node
    return _model(
        [
            node("ReduceMean", ["states"], ["thought"], axes=[0], keepdims=1),
            node("Reshape", ["history", "flat"], ["past"]),
            node("MatMul", ["past", "memory"], ["remembered"]),
            node("Add", ["thought", "remembered"], ["mixed"]),
            node("Tanh", ["mixed"], ["state"]),
            node("MatMul", ["state", "hands"], ["wish"]),
            node("Reshape", ["wish", "points"], ["target"]),
            node("Add", ["target", "time"], ["later_target"]),
            node("Sub", ["later_target", "noise"], ["velocity"]),
        ],
        [
            _value("states", TensorProto.FLOAT, "T", WIDTH),
            _value("history", TensorProto.FLOAT, 1, 16, 4),
            _value("noise", TensorProto.FLOAT, "K", 64, 2),
            _value("time", TensorProto.FLOAT),
        ],
        [_value("velocity", TensorProto.FLOAT, "K", 64, 2)],
        [
            weights.tensor("memory", 64, WIDTH),
            weights.tensor("hands", WIDTH, 128),
            _integers("flat", -1, 64),
            _integers("points", 1, 64, 2),
        ],
    )

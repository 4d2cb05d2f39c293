"""Engines: another precision under a name of its own, never taken for another one, whole or not there."""

import errno
import json
import os
import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from alpamayo_ros.errors import ArtifactError, BackendError, ConfigurationError, OutputError
from alpamayo_ros.inference import engine_build
from alpamayo_ros.inference.engine_build import build_engine, calibration_digest
from alpamayo_ros.inference.engine_identity import EngineIdentity, engine_identity, require_engine_fits
from alpamayo_ros.inference.model_folder import ModelFolder, open_model_folder
from alpamayo_ros.inference.registry import open_session
from alpamayo_ros.params.profile import StageSpec

VISION = "vision.onnx"
IDENTITY = EngineIdentity("sha256:" + "0" * 64, "ort_cpu", "fp16", {"onnxruntime": "1.2.3"})


@pytest.fixture
def model(tmp_path: Path, tiny_model: Any) -> ModelFolder:
    tiny_model.write_tiny_model(tmp_path / "trained")
    return open_model_folder(tmp_path / "trained" / "tiny")


def images(seed: int) -> dict[str, Any]:
    return {"images": np.random.default_rng(seed).integers(0, 256, (4, 2, 96, 160, 3)).astype(np.uint8)}


def outputs(folder: ModelFolder, seed: int = 9) -> Any:
    return open_session("ort_cpu", StageSpec(VISION), folder).infer(images(seed), 0)["vision_tokens"]


CALIBRATION = {VISION: [images(seed) for seed in range(3)]}


@pytest.mark.parametrize(("precision", "apart"), [("fp32", 0.0), ("fp16", 5e-3), ("int8", 0.2)])
def test_an_engine_computes_nearly_the_same_and_says_what_it_is(
    model: ModelFolder, tmp_path: Path, precision: str, apart: float
) -> None:
    out = tmp_path / "engine"
    engine, now = build_engine(model, [VISION], out, backend="ort_cpu", precision=precision, calibration=CALIBRATION)
    assert now
    engine.verify()
    identity = engine_identity(engine)
    assert identity is not None
    assert (identity.source, identity.precision) == (model.digest, precision)
    assert (identity.calibration == "none") == (precision != "int8")
    assert engine.digest != model.digest
    assert (engine.files[VISION] == model.files[VISION]) == (precision == "fp32")
    assert engine.files["action.onnx"] == model.files["action.onnx"]
    difference = np.abs(outputs(engine) - outputs(model)).max()
    assert difference <= apart
    assert (difference > 0.0) == (precision != "fp32")
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []


def test_the_same_engine_is_found_and_another_is_refused(model: ModelFolder, tmp_path: Path) -> None:
    def build(precision: str) -> tuple[ModelFolder, bool]:
        return build_engine(
            model, [VISION], tmp_path / "e", backend="ort_cpu", precision=precision, calibration=CALIBRATION
        )

    first, _ = build("fp16")
    again, now = build("fp16")
    assert (again.digest, now) == (first.digest, False)
    with pytest.raises(ArtifactError, match="is there already and is the engine sha256:"):
        build("int8")
    (tmp_path / "e" / VISION).write_bytes(b"changed")
    with pytest.raises(ArtifactError, match="has the digest"):
        build("fp16")


def test_an_int8_engine_is_named_by_its_calibration(model: ModelFolder, tmp_path: Path) -> None:
    keys = set()
    for number, rows in enumerate(([images(0)], [images(1)], [images(0), images(1)])):
        engine, _ = build_engine(
            model, [VISION], tmp_path / str(number), backend="ort_cpu", precision="int8", calibration={VISION: rows}
        )
        identity = engine_identity(engine)
        assert identity is not None
        keys.add(identity.key)
    assert len(keys) == 3
    assert calibration_digest({VISION: []}) == "none"


def node_types(engine: ModelFolder) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load_from_string(engine.read(VISION)).graph.node)


def test_what_is_named_stays_in_float_and_is_part_of_the_key(model: ModelFolder, tmp_path: Path) -> None:
    def build(name: str, *keep: str) -> ModelFolder:
        given = {"backend": "ort_cpu", "precision": "int8", "calibration": CALIBRATION}
        return build_engine(model, [VISION], tmp_path / name, keep_float=keep, **given)[0]  # type: ignore[arg-type]

    everything, some, nothing = build("all"), build("some", f"{VISION}:se*n"), build("none", VISION)
    assert nothing.files[VISION] == model.files[VISION]
    quantised = [node_types(engine)["QuantizeLinear"] for engine in (everything, some, nothing)]
    assert quantised == [2, 0, 0]
    identities = [engine_identity(engine) for engine in (everything, some, nothing)]
    assert [one and one.kept_float for one in identities] == [(), (f"{VISION}:se*n",), (VISION,)]
    assert len({one.key for one in identities if one}) == 3
    with pytest.raises(
        ConfigurationError, match=r"vision\.onnx has no node 'nothing\*' that int8 would change; expected"
    ):
        build("other", f"{VISION}:nothing*")
    with pytest.raises(
        ConfigurationError, match="program to keep in float 'audio' is not known; expected one of: vision"
    ):
        build("other", "audio")
    with pytest.raises(ConfigurationError, match="precision fp16 has no choice of what stays in float"):
        build_engine(
            model, [VISION], tmp_path / "o", backend="ort_cpu", precision="fp16", calibration={}, keep_float=[VISION]
        )
    assert not (tmp_path / "other").exists()


def test_weights_of_int8_leave_room_for_sums_on_every_cpu(model: ModelFolder, tmp_path: Path) -> None:
    """Without VNNI two products of eight bits are added in sixteen."""
    engine, _ = build_engine(
        model, [VISION], tmp_path / "e", backend="ort_cpu", precision="int8", calibration=CALIBRATION
    )
    weights = [
        onnx.numpy_helper.to_array(one)
        for one in onnx.load_from_string(engine.read(VISION)).graph.initializer
        if one.data_type == onnx.TensorProto.INT8 and len(one.dims) > 1
    ]
    assert weights
    assert max(int(np.abs(one.astype(np.int16)).max()) for one in weights) <= 64
    assert 2 * 255 * 64 <= 2**15


def test_what_cannot_be_built_is_refused_before_anything_is_written(model: ModelFolder, tmp_path: Path) -> None:
    def build(source: ModelFolder = model, **changes: Any) -> None:
        given = {"backend": "ort_cpu", "precision": "int8", "calibration": CALIBRATION}
        build_engine(source, [VISION], tmp_path / "e", **{**given, **changes})

    with pytest.raises(ConfigurationError, match="backend to build for 'abacus' is not known"):
        build(backend="abacus")
    with pytest.raises(ConfigurationError, match="precision 'int4' is not known; expected one of: fp16, fp32, int8"):
        build(precision="int4")
    with pytest.raises(ConfigurationError, match="has no calibration inputs"):
        build(calibration={})
    (model.path / VISION).write_bytes(b"no onnx file")
    with pytest.raises(ArtifactError, match="has the digest"):
        build()
    broken = replace(model, files={**model.files, VISION: engine_build.bytes_id(b"no onnx file")})
    for precision in ("fp16", "int8"):
        with pytest.raises(BackendError, match=r"vision\.onnx cannot be"):
            build(broken, precision=precision)
    assert not (tmp_path / "e").exists()


def test_an_engine_of_an_engine_is_refused(model: ModelFolder, tmp_path: Path) -> None:
    engine, _ = build_engine(model, [VISION], tmp_path / "e", backend="ort_cpu", precision="fp16", calibration={})
    with pytest.raises(ArtifactError, match="is an engine; expected the model"):
        build_engine(engine, [VISION], tmp_path / "f", backend="ort_cpu", precision="fp16", calibration={})


def test_a_place_that_cannot_be_written_is_named(model: ModelFolder, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match=r"engine .*file/e cannot be written"):
        build_engine(model, [VISION], tmp_path / "file" / "e", backend="ort_cpu", precision="fp32", calibration={})


def test_a_disk_that_is_full_leaves_nothing_behind(
    model: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(path: Path, data: bytes) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(OutputError, match=r"engine .*e cannot be written: No space left on device"):
        build_engine(model, [VISION], tmp_path / "e", backend="ort_cpu", precision="fp32", calibration={})
    assert [path.name for path in tmp_path.iterdir()] == ["trained"]


BUILD = """
import sys
from pathlib import Path
from alpamayo_ros.inference.engine_build import build_engine
from alpamayo_ros.inference.model_folder import open_model_folder
model, out = open_model_folder(Path(sys.argv[1])), Path(sys.argv[2])
engine, _ = build_engine(model, ["vision.onnx"], out, backend="ort_cpu", precision="fp16", calibration={})
print(engine.digest)
"""


def test_two_processes_that_build_the_same_engine_get_one(model: ModelFolder, tmp_path: Path) -> None:
    command = [sys.executable, "-c", BUILD, str(model.path), str(tmp_path / "e")]
    both = [subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=tmp_path) for _ in range(2)]
    digests = [process.communicate(timeout=120)[0].strip() for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert digests[0] == digests[1] == open_model_folder(tmp_path / "e").digest
    assert sorted(path.name for path in tmp_path.iterdir()) == ["e", "trained"]


def test_one_that_was_first_with_another_engine_is_not_overwritten(
    model: ModelFolder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other, _ = build_engine(model, [VISION], tmp_path / "e", backend="ort_cpu", precision="fp32", calibration={})
    exists = Path.exists
    monkeypatch.setattr(Path, "exists", lambda path: path != tmp_path / "e" and exists(path))
    with pytest.raises(ArtifactError, match="is there already and is the engine"):
        build_engine(model, [VISION], tmp_path / "e", backend="ort_cpu", precision="fp16", calibration={})
    assert open_model_folder(tmp_path / "e").digest == other.digest


def test_the_key_is_of_everything_that_makes_engines_differ() -> None:
    changes = [
        {"source": "sha256:" + "1" * 64}, {"backend": "ort_cuda"}, {"precision": "int8"},
        {"libraries": {"onnxruntime": "9"}}, {"architectures": ("sm_86",)}, {"calibration": "sha256:" + "2" * 64},
        {"kept_float": (VISION,)},
    ]  # fmt: skip
    keys = {IDENTITY.key, *(replace(IDENTITY, **change).key for change in changes)}  # type: ignore[arg-type]
    assert len(keys) == len(changes) + 1


def engine_of(model: ModelFolder, tiny_model: Any, document: dict[str, Any]) -> ModelFolder:
    tiny_model.write_model_document(model.path, engine=document)
    return open_model_folder(model.path)


def test_an_engine_for_something_else_is_refused_with_the_difference(model: ModelFolder, tiny_model: Any) -> None:
    engine = engine_of(model, tiny_model, IDENTITY.document())
    with pytest.raises(ArtifactError, match=r"built for onnxruntime 1\.2\.3, here 7; expected"):
        require_engine_fits(engine, "ort_cpu", {"onnxruntime": "7"})
    with pytest.raises(ArtifactError, match="built for backend ort_cpu, here ort_cuda; onnxruntime"):
        require_engine_fits(engine, "ort_cuda", {"onnxruntime": "7"})
    with pytest.raises(ArtifactError, match=r"built for onnxruntime 1\.2\.3"):
        open_session("ort_cpu", StageSpec(VISION), engine)
    require_engine_fits(engine, "ort_cpu", {"onnxruntime": "1.2.3"})


def test_a_section_that_was_edited_is_refused(model: ModelFolder, tiny_model: Any) -> None:
    edited = {**IDENTITY.document(), "precision": "int8"}
    with pytest.raises(ArtifactError, match="has the key sha256:"):
        require_engine_fits(engine_of(model, tiny_model, edited), "ort_cpu", {"onnxruntime": "1.2.3"})
    with pytest.raises(ArtifactError, match="not valid at engine/precision"):
        engine_of(model, tiny_model, {**IDENTITY.document(), "precision": "fp12"})
    assert json.dumps(IDENTITY.document())

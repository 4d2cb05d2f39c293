"""The ``torch`` backend: the network itself with its weights, on the CPU or one GPU, in float32 and deterministic."""

import os
from pathlib import PurePath
from typing import Any

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.torch import load
from torch import nn

from alpamayo_ros.errors import ArtifactError, BackendError, BackendUnavailableError, expected_one_of
from alpamayo_ros.inference.backend import ONE_CPU_THREAD, SessionOptions, Tensors, TensorSpec, validate_tensors
from alpamayo_ros.inference.backends.failures import first_line, translated
from alpamayo_ros.inference.model_folder import WEIGHTS, ModelFolder
from alpamayo_ros.inference.networks.anatomy import (
    CAMERAS,
    FRAMES,
    HEIGHT_PX,
    HISTORY_ROWS,
    POINTS,
    WIDTH_PX,
    Anatomy,
)
from alpamayo_ros.inference.networks.nano import Nano
from alpamayo_ros.inference.networks.parts import torch_parts
from alpamayo_ros.params.profile import StageSpec

ARCHITECTURE = "nano"


class TorchSession:
    """One part of a network."""

    def __init__(
        self, name: str, part: nn.Module, specs: tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]], device: str
    ) -> None:
        """Move the part to its device.

        Args:
            name: Of the part.
            part: Takes and gives tensors as the specs say.
            specs: Of inputs and outputs.
            device: ``cpu`` or ``cuda``.
        """
        self._name = name
        self._device = torch.device(device)
        self._inputs, self._outputs = specs
        self._part: nn.Module | None = translated(lambda: part.to(self._device), f"{name} cannot be loaded")

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` takes."""
        return self._inputs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` returns."""
        return self._outputs

    def warm_up(self) -> None:
        """Run once on zeros; a dimension of any length has the length 1."""
        shapes = {spec.name: [1 if length < 0 else length for length in spec.shape] for spec in self._inputs}
        self.infer({spec.name: np.zeros(shapes[spec.name], spec.dtype) for spec in self._inputs}, 0)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:
        """Run the part once; see ``Session.infer``."""
        part = self._part
        if part is None:
            raise BackendError(f"{self._name} was closed; expected a loaded part")
        validate_tensors(self._inputs, inputs, f"input of {self._name}")
        found = translated(lambda: self._run(part, inputs, seed), f"{self._name} could not be run")
        outputs: Tensors = dict(zip((spec.name for spec in self._outputs), found, strict=True))
        validate_tensors(self._outputs, outputs, f"output of {self._name}")
        return outputs

    def close(self) -> None:
        """Release the weights."""
        self._part = None

    def _run(self, part: nn.Module, inputs: Tensors, seed: int) -> list[Any]:
        torch.manual_seed(seed)
        # torch may write into what it is given, and says so of arrays that are read-only.
        given = {name: torch.from_numpy(np.array(value)).to(self._device) for name, value in inputs.items()}
        with torch.inference_mode():
            outputs = part(**given)
        return [value.cpu().numpy() for value in (outputs if isinstance(outputs, tuple) else (outputs,))]


def library_versions() -> dict[str, str]:
    """Return the version of torch, which names the build for CPUs or of CUDA too."""
    return {"torch": str(torch.__version__)}


def open_session(stage: StageSpec, model: ModelFolder | None, options: SessionOptions = ONE_CPU_THREAD) -> TorchSession:
    """Load a part of the model's network with its weights, once their digest is verified.

    Args:
        stage: Its program names the part, with or without the ending of the ONNX file: ``vision``, ``vision.onnx``.
        model: The model folder; it names the network and holds its weights.
        options: Threads, and the device.

    Raises:
        ArtifactError: The weights are missing, of another network, or not those that the model names.
        BackendError: There is no model folder, it names no network, or the network has no such part.
        BackendUnavailableError: There is no GPU that torch can use.
    """
    if model is None:
        raise BackendError(
            f"backend 'torch' loads {stage.program!r} of a model folder's network, and the profile names none; "
            "expected 'model' in the profile"
        )
    if options.device == "cuda" and not torch.cuda.is_available():
        raise BackendUnavailableError(
            f"device 'cuda' cannot be used by torch {torch.__version__}: it finds no GPU; expected a GPU with its "
            "driver and a build of torch for it, or device: cpu in the profile"
        )
    _pin(options)
    network = _network(model)
    parts = torch_parts(network)
    name = PurePath(stage.program).stem
    if name not in parts:
        raise BackendError(expected_one_of(f"part of network {ARCHITECTURE}", name, list(parts)))
    return TorchSession(stage.program, parts[name], _specs(network.anatomy)[name], options.device)


def _pin(options: SessionOptions) -> None:
    """Set what torch has once for a whole process."""
    # cuBLAS reads it when it is first used.
    os.environ.setdefault("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
    torch.set_num_threads(options.threads)
    torch.use_deterministic_algorithms(True)  # noqa: FBT003 - torch's own signature
    torch.backends.cudnn.benchmark = False
    # TF32 keeps ten bits of a factor, and a GPU's answer would be another one.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


def _network(model: ModelFolder) -> Nano:
    stated = model.document.get("network")
    if stated is None:
        raise BackendError(
            f"model {model.name} names no network, so backend 'torch' cannot run it; expected 'network' in model.yaml"
        )
    weights = model.read(WEIGHTS)
    try:
        network = Nano(Anatomy(**stated["sizes"]))
        network.load_state_dict(load(weights))
    except (TypeError, ValueError, RuntimeError, ZeroDivisionError, SafetensorError) as error:
        raise ArtifactError(
            f"model {model.name}: {WEIGHTS} does not fit the network of model.yaml: {first_line(error)}; "
            "expected the files of one model"
        ) from error
    return network.eval()


def _specs(sizes: Anatomy) -> dict[str, tuple[tuple[TensorSpec, ...], tuple[TensorSpec, ...]]]:
    cache = (sizes.layers, 2, sizes.heads, -1, sizes.head_width)
    tokens = TensorSpec("vision_tokens", (sizes.vision_tokens, sizes.width), "float32")
    states = TensorSpec("states", (-1, sizes.width), "float32")
    return {
        "vision": (
            (TensorSpec("images", (len(CAMERAS), FRAMES, HEIGHT_PX, WIDTH_PX, 3), "uint8"),),
            (tokens,),
        ),
        "reasoning": (
            (
                TensorSpec("vision_tokens", (-1, sizes.width), "float32"),
                TensorSpec("history", (-1, HISTORY_ROWS, 4), "float32"),
                TensorSpec("navigation", (-1,), "int64"),
                TensorSpec("tokens", (-1,), "int64"),
                TensorSpec("cache", cache, "float32"),
            ),
            (
                TensorSpec("logits", (-1, sizes.vocabulary), "float32"),
                states,
                TensorSpec("grown_cache", cache, "float32"),
            ),
        ),
        "action": (
            (
                states,
                TensorSpec("history", (1, HISTORY_ROWS, 4), "float32"),
                TensorSpec("noise", (-1, POINTS, 2), "float32"),
                TensorSpec("time", (), "float32"),
            ),
            (TensorSpec("velocity", (-1, POINTS, 2), "float32"),),
        ),
    }

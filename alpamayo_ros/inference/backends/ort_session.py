"""ONNX files by ONNX Runtime with one execution provider, and nothing else.

ONNX Runtime itself goes on with the CPU where a provider or a node of it is missing, and says so in a warning; here
that is an error when the file is loaded.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import onnxruntime

from alpamayo_ros.errors import BackendError, BackendUnavailableError, TensorSpecError
from alpamayo_ros.inference.backend import SessionOptions, Tensors, TensorSpec, validate_tensors
from alpamayo_ros.inference.backends.failures import translated
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.params.profile import StageSpec

CPU_PROVIDER = "CPUExecutionProvider"
"""ONNX Runtime adds it to every other one."""

_ERRORS_ONLY = 3
_NODES_SHOWN = 5
_NOWHERE = "/dev/null/weights belong into the file"
_TYPES = {
    "tensor(bool)": "bool",
    "tensor(uint8)": "uint8",
    "tensor(int32)": "int32",
    "tensor(int64)": "int64",
    "tensor(float16)": "float16",
    "tensor(float)": "float32",
    "tensor(double)": "float64",
}


@dataclass(frozen=True, slots=True)
class Provider:
    """What runs a file.

    Attributes:
        name: Of ONNX Runtime.
        package: What to install where it is missing.
        options: Of the provider.
    """

    name: str
    package: str
    options: Mapping[str, str] = field(default_factory=dict)


class OrtSession:
    """A loaded ONNX file."""

    def __init__(self, name: str, session: Any) -> None:
        """Read what the file takes and gives.

        Raises:
            TensorSpecError: A tensor has a type that no stage has.
        """
        self._name = name
        self._session = session
        self._inputs = _specs(session.get_inputs(), f"input of {name}")
        self._outputs = _specs(session.get_outputs(), f"output of {name}")
        self._output_names = [spec.name for spec in self._outputs]

    @property
    def input_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` takes."""
        return self._inputs

    @property
    def output_specs(self) -> tuple[TensorSpec, ...]:
        """Tensors that ``infer`` returns."""
        return self._outputs

    def warm_up(self) -> None:
        """Run once on zeros; a dimension of any length has the length 1.

        Raises:
            BackendError: The run did not succeed, or its inputs do not fit into memory.
        """
        try:
            zeros = {
                spec.name: np.zeros([1 if length < 0 else length for length in spec.shape], spec.dtype)
                for spec in self._inputs
            }
        except (MemoryError, ValueError) as error:
            raise BackendError(f"{self._name} could not be run: {error}; expected inputs of a usable size") from error
        self.infer(zeros, 0)

    def infer(self, inputs: Tensors, seed: int) -> Tensors:  # noqa: ARG002 - nothing in an ONNX file here is random
        """Run the file once; see ``Session.infer``."""
        if self._session is None:
            raise BackendError(f"{self._name} was closed; expected a loaded file")
        validate_tensors(self._inputs, inputs, f"input of {self._name}")
        found = translated(
            lambda: self._session.run(self._output_names, dict(inputs)), f"{self._name} could not be run"
        )
        outputs: Tensors = dict(zip(self._output_names, found, strict=True))
        validate_tensors(self._outputs, outputs, f"output of {self._name}")
        return outputs

    def close(self) -> None:
        """Release the file's memory."""
        self._session = None


def library_versions() -> dict[str, str]:
    """Return the version of ONNX Runtime."""
    return {"onnxruntime": onnxruntime.__version__}


def open_model_file(
    backend: str, provider: Provider, stage: StageSpec, model: ModelFolder | None, options: SessionOptions
) -> OrtSession:
    """Load an ONNX file of the model folder, once its digest is verified.

    Args:
        backend: Backend id, for error texts.
        provider: What runs it.
        stage: Names the file.
        model: The model folder.
        options: Threads of one run; the runs of a file are bit-equal for equal inputs, threads and machine.

    Raises:
        ArtifactError: The file is missing or is not the one that the model names.
        BackendError: There is no model folder, or ONNX Runtime refuses the file or would run it elsewhere.
        BackendUnavailableError: This ONNX Runtime does not have the provider.
    """
    if model is None:
        raise BackendError(
            f"backend {backend!r} loads {stage.program!r} from a model folder, and the profile names none; "
            "expected 'model' in the profile"
        )
    return open_onnx_with(provider, stage.program, model.read(stage.program), options)


def open_onnx_with(provider: Provider, name: str, data: bytes, options: SessionOptions) -> OrtSession:
    """Load an ONNX file's bytes, whose digest the caller has verified.

    Args:
        provider: What runs it.
        name: For error texts.
        data: The file.
        options: Threads of one run.

    Raises:
        BackendError: ONNX Runtime refuses the file or would run it elsewhere.
        BackendUnavailableError: This ONNX Runtime does not have the provider.
    """
    available = onnxruntime.get_available_providers()
    if provider.name not in available:
        raise BackendUnavailableError(
            f"onnxruntime {onnxruntime.__version__} has no {provider.name}; it has {', '.join(available)}; expected it "
            f"to be installed: pip install {provider.package}"
        )
    session = translated(
        lambda: onnxruntime.InferenceSession(
            data, _settings(provider, options), providers=[(provider.name, dict(provider.options))]
        ),
        f"{name} cannot be loaded",
    )
    providers = session.get_providers()
    if not providers or providers[0] != provider.name or set(providers) - {provider.name, CPU_PROVIDER}:
        raise BackendError(f"{name} would run on {', '.join(providers) or 'nothing'}; expected {provider.name} alone")
    _require_on_provider(name, session, provider, options.outside_share)
    return OrtSession(name, session)


def _settings(provider: Provider, options: SessionOptions) -> Any:
    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.threads
    settings.inter_op_num_threads = 1
    settings.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    settings.use_deterministic_compute = True
    settings.log_severity_level = _ERRORS_ONLY
    # A thread that waits by spinning takes its core from the other nodes.
    settings.add_session_config_entry("session.intra_op.allow_spinning", "0")
    # Weights in files of their own would be read from the working directory, and no digest covers them.
    settings.add_session_config_entry("session.model_external_initializers_file_folder_path", _NOWHERE)
    if provider.name != CPU_PROVIDER:
        if not options.outside_share:
            settings.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
        settings.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    return settings


def _require_on_provider(name: str, session: Any, provider: Provider, outside_share: float) -> None:
    """Require that no more than a share of the nodes went to another provider."""
    if provider.name == CPU_PROVIDER:
        return
    nodes = [
        (part.ep_name, f"{node.name} ({node.op_type})")
        for part in session.get_provider_graph_assignment_info()
        for node in part.get_nodes()
    ]
    elsewhere = [node for where, node in nodes if where != provider.name]
    if len(elsewhere) > outside_share * len(nodes):
        shown = ", ".join(elsewhere[:_NODES_SHOWN])
        raise BackendError(
            f"{name} would run {len(elsewhere)} of its {len(nodes)} nodes elsewhere than on {provider.name} "
            f"({shown}, ...); expected {f'at most {outside_share:.0%}' if outside_share else 'none'}"
        )


def _specs(arguments: list[Any], what: str) -> tuple[TensorSpec, ...]:
    specs = []
    for argument in arguments:
        if argument.type not in _TYPES:
            raise TensorSpecError(f"{what} {argument.name!r} is {argument.type}; expected one of: {', '.join(_TYPES)}")
        shape = tuple(length if isinstance(length, int) else -1 for length in argument.shape)
        specs.append(TensorSpec(argument.name, shape, _TYPES[argument.type]))
    return tuple(specs)

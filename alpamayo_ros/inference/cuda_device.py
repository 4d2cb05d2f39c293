"""One GPU by the CUDA runtime: memory, one stream, graphs; every error of it is a typed one."""

from typing import Any

from cuda.bindings import runtime
from numpy.typing import NDArray

from alpamayo_ros.errors import BackendError, BackendUnavailableError

_CAPTURE = runtime.cudaStreamCaptureMode.cudaStreamCaptureModeThreadLocal


class CudaDevice:
    """A GPU with one stream, on which everything runs in the order of the calls."""

    def __init__(self, number: int = 0) -> None:
        """Take a GPU.

        Raises:
            BackendUnavailableError: There is no GPU, or its driver is missing or too old.
        """
        error, count = runtime.cudaGetDeviceCount()
        if error != runtime.cudaError_t.cudaSuccess or count <= number:
            reason = f"{error.name}" if error != runtime.cudaError_t.cudaSuccess else f"{count} of them are there"
            raise BackendUnavailableError(f"GPU {number} cannot be used: {reason}; expected a GPU with its driver")
        _done(runtime.cudaSetDevice(number), "GPU cannot be chosen")
        self._number = number
        self._stream = _done(runtime.cudaStreamCreate(), "stream cannot be made")

    @property
    def architecture(self) -> str:
        """Compute capability, such as ``sm_86``."""
        attribute = runtime.cudaDeviceAttr
        major, minor = (
            _done(runtime.cudaDeviceGetAttribute(one, self._number), "GPU cannot be asked")
            for one in (attribute.cudaDevAttrComputeCapabilityMajor, attribute.cudaDevAttrComputeCapabilityMinor)
        )
        return f"sm_{major}{minor}"

    @property
    def stream(self) -> int:
        """Handle of the stream."""
        return int(self._stream)

    def allocate(self, count: int) -> int:
        """Return the address of so many bytes on the GPU; at least one, so that it is never null."""
        return int(_done(runtime.cudaMalloc(max(count, 1)), f"{count} bytes cannot be had on the GPU"))

    def free(self, address: int) -> None:
        """Give memory back."""
        _done(runtime.cudaFree(address), "memory cannot be given back")

    def upload(self, address: int, array: NDArray[Any]) -> None:
        """Copy a contiguous array to the GPU, in the order of the stream."""
        kind = runtime.cudaMemcpyKind.cudaMemcpyHostToDevice
        if array.nbytes:
            _done(
                runtime.cudaMemcpyAsync(address, array.ctypes.data, array.nbytes, kind, self._stream),
                "input cannot be copied to the GPU",
            )

    def download(self, address: int, array: NDArray[Any]) -> None:
        """Copy from the GPU into a contiguous array, in the order of the stream; it is whole after ``wait``."""
        kind = runtime.cudaMemcpyKind.cudaMemcpyDeviceToHost
        if array.nbytes:
            _done(
                runtime.cudaMemcpyAsync(array.ctypes.data, address, array.nbytes, kind, self._stream),
                "output cannot be copied from the GPU",
            )

    def wait(self) -> None:
        """Wait until the stream has done everything."""
        _done(runtime.cudaStreamSynchronize(self._stream), "GPU could not finish")

    def begin_capture(self) -> None:
        """Take down what is put on the stream from now on, in place of running it."""
        _done(runtime.cudaStreamBeginCapture(self._stream, _CAPTURE), "capture cannot begin")

    def end_capture(self) -> Any:
        """Return what was taken down, to be launched as a whole."""
        graph = _done(runtime.cudaStreamEndCapture(self._stream), "capture cannot end")
        launchable = _done(runtime.cudaGraphInstantiate(graph, 0), "graph cannot be made")
        _done(runtime.cudaGraphDestroy(graph), "capture cannot be given back")
        return launchable

    def launch(self, graph: Any) -> None:
        """Put a whole graph on the stream."""
        _done(runtime.cudaGraphLaunch(graph, self._stream), "graph cannot be launched")

    def drop(self, graph: Any) -> None:
        """Give a graph back."""
        _done(runtime.cudaGraphExecDestroy(graph), "graph cannot be given back")

    def close(self) -> None:
        """Give the stream back."""
        _done(runtime.cudaStreamDestroy(self._stream), "stream cannot be given back")


def _done(result: tuple[Any, ...], what: str) -> Any:
    error, *values = result
    if error != runtime.cudaError_t.cudaSuccess:
        raise BackendError(f"{what}: {error.name}")
    return values[0] if values else None

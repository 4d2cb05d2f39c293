"""What a node and its worker say to each other; both are of one installation, and nobody else has the socket."""

from dataclasses import dataclass
from enum import Enum

from alpamayo_ros.inference.backend import SessionOptions, TensorSpec
from alpamayo_ros.inference.model_folder import ModelFolder
from alpamayo_ros.inference.worker.shared_tensors import Place
from alpamayo_ros.params.profile import StageSpec


@dataclass(frozen=True, slots=True)
class Open:
    """Load a stage's program under a number; answered by ``Opened``."""

    number: int
    backend: str
    stage: StageSpec
    model: ModelFolder | None
    options: SessionOptions


@dataclass(frozen=True, slots=True)
class Opened:
    """What a session takes and gives."""

    inputs: tuple[TensorSpec, ...]
    outputs: tuple[TensorSpec, ...]


class Verb(Enum):
    """What is asked of a session that takes nothing."""

    WARM_UP = "warm_up"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Ask:
    """Warm up or close a session; answered by ``Done``."""

    number: int
    verb: Verb


@dataclass(frozen=True, slots=True)
class Infer:
    """Run a session once on tensors in the shared block; answered by ``Done`` with those that came out."""

    number: int
    inputs: tuple[Place, ...]
    seed: int


@dataclass(frozen=True, slots=True)
class Done:
    """It is done."""

    outputs: tuple[Place, ...] = ()


Request = Open | Ask | Infer

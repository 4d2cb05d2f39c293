"""How the process of a model is."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class WorkerState:
    """A model's own process.

    Attributes:
        pid: Its number, None while there is none.
        falls: How often one has ended, hung or failed since the model was loaded.
        trouble: What is wrong with it now; empty if nothing is.
    """

    pid: int | None
    falls: int
    trouble: str

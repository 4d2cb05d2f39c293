"""Hand structs from one stage to the next: in memory within a process, as messages between processes."""

from collections.abc import Callable
from typing import Any

from alpamayo_ros.ros.worker import StageWorker

Receiver = Callable[[Any], None]


class Handover:
    """What the nodes of one process share: who takes which struct, and the thread that runs their stages."""

    def __init__(self, *, in_memory: bool) -> None:
        """Start without receivers.

        Args:
            in_memory: Whether the stages of this process take structs from each other; else they subscribe.
        """
        self.in_memory = in_memory
        self.worker = StageWorker("stages")
        self._receivers: dict[str, list[Receiver]] = {}

    def receive(self, interface: str, receiver: Receiver) -> None:
        """Call a receiver with every struct of an interface that this process gives."""
        self._receivers.setdefault(interface, []).append(receiver)

    def forget(self, interface: str, receiver: Receiver) -> None:
        """Call a receiver no more."""
        receivers = self._receivers.get(interface, [])
        if receiver in receivers:
            receivers.remove(receiver)

    def has_receiver(self, interface: str) -> bool:
        """Whether anybody in this process takes an interface in memory."""
        return bool(self._receivers.get(interface))

    def give(self, interface: str, struct: Any) -> None:
        """Hand a struct to everybody in this process who takes it."""
        for receiver in tuple(self._receivers.get(interface, ())):
            receiver(struct)

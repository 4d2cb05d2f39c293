"""Subscription callbacks that also get what is known about a message."""

import inspect
from collections.abc import Callable, Mapping
from typing import Any

Info = Mapping[str, Any]


class MessageTaker:
    """A subscription callback that gets a message and what is known about it, from every executor.

    rclpy's events executor (9.1) calls a callback of two arguments with one tuple of both, and ends the process when
    the call fails.
    """

    __signature__ = inspect.signature(lambda _message, _info: None)

    def __init__(self, take: Callable[[Any, Info], None]) -> None:
        self._take = take

    def __call__(self, *arguments: Any) -> None:
        """Take the pair, or the tuple of it."""
        message, info = arguments if len(arguments) == 2 else arguments[0]
        self._take(message, info)


def origin_of(info: Info) -> tuple[bytes, int | None]:
    """Return the id of the publisher and the number that it gave the message, None where there is none."""
    publisher = info.get("publisher_gid") or {}
    return publisher.get("data", b""), info.get("publication_sequence_number")

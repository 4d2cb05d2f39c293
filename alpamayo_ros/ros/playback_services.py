"""The services of a replayer: pause, resume, step and seek; a refusal is a response in words."""

import time
from collections.abc import Callable
from typing import Any

from rclpy.node import Node

from alpamayo_ros.errors import AlpamayoError, BagError, ConfigurationError
from alpamayo_ros.messages.translator import stamp_ns
from alpamayo_ros.ros.classes import generated_class
from alpamayo_ros.ros.playback_driver import PlaybackDriver

_TRIGGER = "std_srvs/srv/Trigger"
_NS_PER_S = 1_000_000_000


class PlaybackServices:
    """Offers the services in every state of the node, so that nobody waits for one that says no."""

    def __init__(self, node: Node, active_driver: Callable[[], PlaybackDriver | None]) -> None:
        """Make the services.

        Args:
            node: Offers them.
            active_driver: Returns what is to be changed; None while the node is not active.
        """
        self._active_driver = active_driver
        for name, type_name, act in (
            ("pause", _TRIGGER, _pause),
            ("resume", _TRIGGER, _resume),
            ("step", "alpamayo_ros/srv/Step", _step),
            ("seek", "alpamayo_ros/srv/Seek", _seek),
        ):
            node.create_service(generated_class(type_name), f"~/{name}", self._answering(name, act))

    def _answering(self, name: str, act: Callable[[PlaybackDriver, Any, Any], str]) -> Callable[[Any, Any], Any]:
        def answer(request: Any, response: Any) -> Any:
            try:
                driver = self._active_driver()
                if driver is None:
                    raise ConfigurationError(f"{name}: the replayer is not active; expected an active one")
                response.message = act(driver, request, response)
                response.success = True
            except AlpamayoError as error:
                response.message = str(error)
                response.success = False
            return response

        return answer


def _standing(driver: PlaybackDriver) -> str:
    playback = driver.playback
    return f"{playback.state.value} at {playback.bag_time_ns(time.monotonic_ns())} ns"


def _pause(driver: PlaybackDriver, _request: Any, _response: Any) -> str:
    driver.playback.pause(time.monotonic_ns())
    driver.follow()
    return _standing(driver)


def _resume(driver: PlaybackDriver, _request: Any, _response: Any) -> str:
    driver.playback.resume(time.monotonic_ns())
    driver.follow()
    return _standing(driver)


def _step(driver: PlaybackDriver, request: Any, response: Any) -> str:
    try:
        step = driver.playback.step(max(1, request.count))
    except BagError as error:
        driver.damage = error
        raise
    driver.publish(step.messages)
    driver.follow()
    response.published = step.published
    response.reached.sec, response.reached.nanosec = divmod(step.reached_ns, _NS_PER_S)
    return _standing(driver)


def _seek(driver: PlaybackDriver, request: Any, _response: Any) -> str:
    driver.playback.seek(stamp_ns(request.time), time.monotonic_ns())
    driver.follow(moved=True)
    return _standing(driver)

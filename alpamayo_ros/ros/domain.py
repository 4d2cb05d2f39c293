"""A ROS domain of one's own, so that a replay neither hears nor disturbs anybody."""

import os
import socket
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from itertools import count

from alpamayo_ros.errors import GraphError

HIGHEST_ID = 101
"""Above it the ports of DDS reach into the range that Linux gives to any program."""


_ATTEMPTS = count()
_PARTICIPANTS = 10
"""Participants looked for: more than may have left before those that stayed."""


@contextmanager
def private_domain() -> Iterator[int]:
    """Give the id of a domain that no other replay or test run on this machine has.

    The reservation is an abstract socket: it lives in the network namespace, as the ports of DDS do, and dies with
    its process.

    A domain in which any DDS participant of this machine lives is left alone, and so is that of ``ROS_DOMAIN_ID``: a
    replay publishes under the names of the vehicle.

    Raises:
        GraphError: Every domain is taken.
    """
    for _ in range(HIGHEST_ID):
        # Never the one before: what a process has just left is still leaving.
        domain_id = 1 + (os.getpid() + next(_ATTEMPTS)) % HIGHEST_ID
        if str(domain_id) == os.environ.get("ROS_DOMAIN_ID") or is_inhabited(domain_id):
            continue
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0alpamayo_ros-domain-{domain_id}")
        except OSError:
            reservation.close()
            continue
        with reservation:
            yield domain_id
        return
    raise GraphError(f"every ROS domain from 1 to {HIGHEST_ID} is taken by another replay or system; end one of them")


def is_inhabited(domain_id: int) -> bool:
    """Tell whether a participant of this machine lives in a domain, by the ports that it holds.

    A participant takes the first free pair of 7410 + 250 * domain + 2 * index (DDS-RTPS 2.5, 9.6.2.1).
    """
    for index in range(_PARTICIPANTS):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind(("", 7410 + 250 * domain_id + 2 * index))
            except OSError:
                return True
    return False


def local_environment(domain_id: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose nodes are seen in one domain of this machine only."""
    local = {"ROS_DOMAIN_ID": str(domain_id), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    if environment.get("ROS_DISTRO") == "humble":
        local["ROS_LOCALHOST_ONLY"] = "1"  # what that distribution has in place of the discovery range
    kept = {name: value for name, value in environment.items() if name != "ROS_STATIC_PEERS"}
    return {**kept, **local}


@contextmanager
def applied(environment: Mapping[str, str]) -> Iterator[None]:
    """Make an environment that of this process for a while: rcl reads it when a context begins."""
    before = dict(os.environ)
    os.environ.clear()
    os.environ.update(environment)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)

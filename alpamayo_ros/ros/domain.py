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


@contextmanager
def private_domain() -> Iterator[int]:
    """Give the id of a domain that no other replay or test run on this machine has.

    The reservation is an abstract socket: it lives in the network namespace, as the ports of DDS do, and dies with
    its process.

    Raises:
        GraphError: Every domain is taken.
    """
    for _ in range(HIGHEST_ID):
        # Never the one before: what a process has just left is still leaving.
        domain_id = 1 + (os.getpid() + next(_ATTEMPTS)) % HIGHEST_ID
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0alpamayo_ros-domain-{domain_id}")
        except OSError:
            reservation.close()
            continue
        with reservation:
            yield domain_id
        return
    raise GraphError(f"every ROS domain from 1 to {HIGHEST_ID} is taken by another replay; end one of them")


def local_environment(domain_id: int, environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment whose nodes are seen in one domain of this machine only."""
    local = {"ROS_DOMAIN_ID": str(domain_id), "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST"}
    if environment.get("ROS_DISTRO") == "humble":
        local["ROS_LOCALHOST_ONLY"] = "1"  # what that distribution has in place of the discovery range
    kept = {name: value for name, value in environment.items() if name != "ROS_STATIC_PEERS"}
    return {**kept, **local}

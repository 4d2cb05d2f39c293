"""A domain of one's own: reserved as long as it is used, inhabited by nobody else, and left to nobody."""

import os
import socket
import subprocess
import sys
from contextlib import ExitStack, suppress

import pytest

from alpamayo_ros.errors import GraphError
from alpamayo_ros.ros import domain
from alpamayo_ros.ros.domain import applied, is_inhabited, local_environment, private_domain


def test_two_at_a_time_are_never_the_same() -> None:
    with ExitStack() as stack:
        taken = take(stack, 10)
        assert len(set(taken)) == 10
        assert all(1 <= number <= domain.HIGHEST_ID for number in taken)


def test_what_was_just_left_is_not_taken_at_once() -> None:
    with private_domain() as first:
        pass
    with private_domain() as second:
        assert second != first


def test_when_all_are_taken_it_is_said_and_what_is_given_back_is_taken_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "HIGHEST_ID", 4)  # of which others on this machine may hold some
    with ExitStack() as stack, pytest.raises(GraphError, match="every ROS domain from 1 to 4 is taken by another"):
        take(stack, 5)
    with private_domain() as number:
        assert 1 <= number <= 4


def take(stack: ExitStack, count: int) -> list[int]:
    return [stack.enter_context(private_domain()) for _ in range(count)]


def test_another_process_keeps_its_domain() -> None:
    program = (
        "from alpamayo_ros.ros.domain import private_domain\n"
        "with private_domain() as number:\n"
        "    print(number, flush=True)\n"
        "    input()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        number = int(other.stdout.readline())
        with socket.socket(socket.AF_UNIX) as mine, pytest.raises(OSError, match="in use"):
            mine.bind(f"\0alpamayo_ros-domain-{number}")
        other.stdin.write("\n")
    assert other.returncode == 0


def test_the_vehicles_own_domain_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(domain, "HIGHEST_ID", 3)
    monkeypatch.setenv("ROS_DOMAIN_ID", "2")
    for _ in range(4):
        with private_domain() as number:
            assert number in (1, 3)


@pytest.mark.parametrize("index", [0, 3])
def test_a_domain_is_inhabited_while_a_participant_holds_one_of_its_ports(index: int) -> None:
    with private_domain() as number:
        assert not is_inhabited(number)
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as participant:
            participant.bind(("", 7410 + 250 * number + 2 * index))
            assert is_inhabited(number)
        assert not is_inhabited(number)


def test_nodes_of_the_environment_are_seen_on_this_machine_alone() -> None:
    given = {
        "PATH": "/bin",
        "ROS_DOMAIN_ID": "7",
        "ROS_STATIC_PEERS": "10.0.0.1",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "OFF",
    }
    assert local_environment(42, given) == {
        "PATH": "/bin",
        "ROS_DOMAIN_ID": "42",
        "ROS_AUTOMATIC_DISCOVERY_RANGE": "LOCALHOST",
    }
    assert given["ROS_DOMAIN_ID"] == "7"
    assert local_environment(1, {"ROS_DISTRO": "humble"})["ROS_LOCALHOST_ONLY"] == "1"
    assert "ROS_LOCALHOST_ONLY" not in local_environment(1, {"ROS_DISTRO": "jazzy"})


def test_an_environment_is_applied_for_a_while_even_if_that_ends_in_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ALPAMAYO_TEST", "before")
    before = dict(os.environ)
    with applied({"ROS_DOMAIN_ID": "42", "HOME": "/x"}):
        assert dict(os.environ) == {"ROS_DOMAIN_ID": "42", "HOME": "/x"}
    assert dict(os.environ) == before
    with suppress(ZeroDivisionError), applied({}):
        raise ZeroDivisionError
    assert dict(os.environ) == before

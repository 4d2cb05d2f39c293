"""One camera is judged tick after tick: what is wrong now, and what has been the same for too long."""

import numpy as np
import pytest
from numpy.typing import NDArray

from alpamayo_ros.monitoring.camera_health import CameraWatch
from alpamayo_ros.params.camera_health import CameraHealthParams
from alpamayo_ros.structs.camera_health import FINDINGS, CameraHealth, SightFinding, SightState

STEP_NS = 100_000_000


def street(seed: int) -> NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(20, 230, (12, 20, 3)).repeat(8, 0).repeat(8, 1).astype(np.uint8)


class Drive:
    """Feeds a watch with pictures of one tick after the other."""

    def __init__(self, **params: float) -> None:
        self.watch = CameraWatch("front", CameraHealthParams(**params))  # type: ignore[arg-type]
        self.tick = 0
        self.x_m = 0.0

    def see(self, picture: NDArray[np.uint8], digest: str = "", moved_m: float = 1.0) -> CameraHealth:
        self.tick += 1
        self.x_m += moved_m
        position_m = np.array([self.x_m, 0.0, 0.0])
        return self.watch.judge(self.tick * STEP_NS, digest or str(self.tick), picture, position_m)


def states(health: CameraHealth) -> dict[str, SightState]:
    return {finding.name: finding.state for finding in health.findings if finding.state is not SightState.OK}


def test_a_good_picture_is_ok_and_every_finding_is_there() -> None:
    health = Drive().see(street(1))
    assert (health.state, health.text, states(health)) == (SightState.OK, "", {})
    assert tuple(finding.name for finding in health.findings) == FINDINGS


def test_a_camera_without_light_is_in_error_and_says_why() -> None:
    health = Drive().see(np.full((96, 160, 3), 3, dtype=np.uint8))
    assert states(health) == {"too_dark": SightState.ERROR, "blackout": SightState.ERROR}
    assert health.state is SightState.ERROR
    assert health.text == "too_dark 1, ERROR from 0.95 on, blackout 1, ERROR from 0.95 on"


def test_a_frozen_camera_is_a_warning_at_first_and_then_an_error() -> None:
    drive = Drive()
    found = [drive.see(street(1)).state for _ in range(5)]
    assert found == [SightState.OK, SightState.WARN, SightState.WARN, SightState.ERROR, SightState.ERROR]
    assert drive.see(street(2)).state is SightState.OK


def test_equal_payloads_are_a_repetition_and_so_are_equal_pixels_in_other_payloads() -> None:
    for digests in (("a", "a"), ("a", "b")):
        drive = Drive()
        drive.see(street(1), digests[0])
        assert states(drive.see(street(1), digests[1])) == {"frozen": SightState.WARN}


def test_at_a_standstill_nothing_is_frozen_and_a_count_waits_there() -> None:
    drive = Drive()
    for _ in range(50):
        assert drive.see(street(1), moved_m=0.0).state is SightState.OK
    assert states(drive.see(street(1))) == {"frozen": SightState.WARN}
    assert states(drive.see(street(1), moved_m=0.0)) == {"frozen": SightState.WARN}


def test_a_rig_that_creeps_moves_too() -> None:
    drive = Drive()
    drive.see(street(1))
    found = [len(states(drive.see(street(1), moved_m=0.04))) for _ in range(3)]
    assert found == [0, 0, 1], "0.1 m have been driven at the third"


def test_the_same_stamp_is_not_judged_twice() -> None:
    drive = Drive()
    first = drive.see(street(1))
    drive.tick -= 1
    assert drive.see(street(2)) is first


def test_a_new_epoch_begins_without_memory() -> None:
    drive = Drive()
    for _ in range(4):
        drive.see(street(1))
    drive.watch.clear()
    assert drive.watch.health is None
    assert drive.see(street(1)).state is SightState.OK


def test_pictures_of_another_size_are_no_repetition() -> None:
    drive = Drive()
    drive.see(np.zeros((96, 160, 3), np.uint8))
    assert "frozen" not in states(drive.see(np.zeros((48, 80, 3), np.uint8)))


def test_a_limit_above_every_score_switches_a_state_off() -> None:
    drive = Drive(too_dark_error=1.1, too_dark_warn=1.1, blackout_warn=1.1, blackout_error=1.1)
    assert drive.see(np.zeros((96, 160, 3), np.uint8)).state is SightState.OK


@pytest.mark.parametrize(
    ("score", "state"),
    [
        (0.0, SightState.OK),
        (0.39, SightState.OK),
        (0.4, SightState.WARN),
        (0.55, SightState.ERROR),
        (1.0, SightState.ERROR),
    ],
)
def test_a_limit_belongs_to_the_state_that_it_begins(score: float, state: SightState) -> None:
    assert SightFinding("blur", score, 0.4, 0.55).state is state


def test_no_findings_are_no_trouble() -> None:
    assert (CameraHealth("front", ()).state, CameraHealth("front", ()).text) == (SightState.OK, "")

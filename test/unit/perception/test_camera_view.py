"""A camera's frames are chosen on the grid, judged in the order of the codes, and decoded only when used."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.params.perception import PerceptionParams
from alpamayo_ros.params.profile import CameraSpec
from alpamayo_ros.perception.camera_view import CameraView
from alpamayo_ros.structs.camera import CameraCalibration, CameraFrame, CameraIntrinsics
from alpamayo_ros.structs.tick import TickOutcome

MS = 1_000_000
T0_NS = 1_557_539_956_000_000_000
WIDE = CameraIntrinsics(4, 4, (1.0, 0.0, 1.5, 0.0, 1.0, 1.5, 0.0, 0.0, 1.0))


@pytest.fixture(scope="session")
def view_of(build):
    """Make a view with frames at times in ms relative to t0; a frame's shade counts up from 0."""

    def make(times_ms, frames=4, spec=None, calibration=None, bad=(), **params):
        spec = spec or CameraSpec("front")
        profile = build.profile([spec], frames=frames)
        view = CameraView(spec, profile, PerceptionParams(**params), calibration)
        for shade, time_ms in enumerate(times_ms):
            frame = build.frame("front", T0_NS + round(time_ms * MS), shade)
            view.add_frame(CameraFrame("front", frame.stamp_ns, "jpeg", b"bad") if time_ms in bad else frame)
        return view

    return make


def look(view, frames=4, t0_ns=T0_NS):
    images = np.zeros((frames, 6, 8, 3), dtype=np.uint8)
    return view.look(t0_ns, images), images


def times_ms(pictures):
    return [(picture.reference.stamp_ns - T0_NS) / MS for picture in pictures]


def test_the_nearest_frames_are_given_oldest_first_with_their_pixels(view_of):
    pictures, images = look(view_of([-300, -210, -190, -100, -2, 1, 40]))
    # -210 and -190 are equally near to -200: the older one.
    assert times_ms(pictures) == [-300, -210, -100, 1]
    assert images[:, 0, 0, 0].tolist() == [0, 1, 3, 5]
    assert (images == images[:, :1, :1, :1]).all()


def test_the_distance_of_the_newest_picture_from_t0_is_known(view_of):
    view = view_of([-300, -242, -101, -30])
    assert view.skew_ns(T0_NS, look(view)[0]) == 30 * MS


def test_no_frame_and_a_frame_beyond_the_horizon_are_both_missing(view_of):
    for times in ([], [50.001], [90]):
        rejection, _ = look(view_of(times))
        assert rejection.outcome is TickOutcome.CAMERA_MISSING
        assert rejection.text == "CAMERA_MISSING: front: no frame up to 50.0 ms after t0; expected frames"


def test_a_newest_frame_older_than_100_ms_is_stale_even_if_one_comes_beyond_the_horizon(view_of):
    for times in ([-101], [-400, -101, 51]):
        rejection, _ = look(view_of(times))
        assert rejection.outcome is TickOutcome.CAMERA_STALE
        assert rejection.text == (
            f"CAMERA_STALE: front: newest frame at {T0_NS - 101 * MS} ns is 101.0 ms before t0; allowed 100 ms"
        )
    assert look(view_of([-100]))[0].outcome is TickOutcome.CAMERA_SKEWED


def test_a_frame_more_than_50_ms_from_t0_is_skewed_and_50_is_not(view_of):
    rejection, _ = look(view_of([-300, -200, -100, -50.001]))
    assert rejection.outcome is TickOutcome.CAMERA_SKEWED
    assert rejection.text.endswith(" ns is 50.0 ms before t0; allowed 50 ms")
    for times in ([-300, -200, -100, -50], [-300, -200, -100, 50]):
        assert not hasattr(look(view_of(times))[0], "outcome")


def test_a_skipped_frame_is_off_the_grid_and_named_with_its_grid_time(view_of):
    rejection, _ = look(view_of([-300, -149, -100, 0]))
    assert rejection.outcome is TickOutcome.CAMERA_OFF_GRID
    assert rejection.text == (
        f"CAMERA_OFF_GRID: front: nearest frame at {T0_NS - 149 * MS} ns is 51.0 ms after t0 - 200 ms; allowed 50 ms"
    )
    assert look(view_of([-100, 0]))[0].outcome is TickOutcome.CAMERA_OFF_GRID


def test_limits_of_age_and_skew_are_parameters(view_of):
    assert look(view_of([-95], max_camera_age_ms=90))[0].outcome is TickOutcome.CAMERA_STALE
    assert look(view_of([-300, -200, -100, 20], max_camera_skew_ms=10))[0].outcome is TickOutcome.CAMERA_SKEWED
    assert times_ms(look(view_of([-300, -200, -100, 80], max_camera_skew_ms=85))[0]) == [-300, -200, -100, 80]


def test_a_frame_that_cannot_be_read_is_named_by_its_grid_time(view_of):
    rejection, _ = look(view_of([-300, -200, -100, 0], bad=[-200]))
    assert rejection.outcome is TickOutcome.IMAGE_INVALID
    assert rejection.text.startswith(f"IMAGE_INVALID: front: frame at {T0_NS - 200 * MS} ns for t0 - 200 ms: picture ")


def test_a_damaged_frame_that_is_not_used_is_never_decoded(view_of):
    assert times_ms(look(view_of([-300, -200, -160, -100, 0], bad=[-160]))[0]) == [-300, -200, -100, 0]


def test_a_picture_of_another_size_than_calibrated_is_refused(view_of):
    other = CameraIntrinsics(8, 8, WIDE.k)
    rejection, _ = look(view_of([-300, -200, -100, 0], calibration=CameraCalibration("front", other, None)))
    assert rejection.outcome is TickOutcome.IMAGE_INVALID
    assert "picture is 4 x 4 px; expected 8 x 8 px as in calibration" in rejection.text


def test_a_camera_info_that_comes_later_is_compared_with_pictures_decoded_before(view_of):
    view = view_of([-300, -200, -100, 0])
    assert not hasattr(look(view)[0], "outcome")
    view.set_camera_info(CameraIntrinsics(8, 8, WIDE.k))
    assert "as in CameraInfo" in look(view)[0].text
    view.set_camera_info(WIDE)
    assert not hasattr(look(view)[0], "outcome")


def test_a_camera_that_does_not_fit_the_profile_is_a_mismatch_after_all_else(view_of):
    spec, calibration = CameraSpec("front", horizontal_fov_deg=30.0), CameraCalibration("front", WIDE, None)
    rejection, _ = look(view_of([-300, -200, -100, 0], spec=spec, calibration=calibration))
    assert rejection.outcome is TickOutcome.CAMERA_MISMATCH
    assert rejection.text.startswith("CAMERA_MISMATCH: front: horizontal field of view is 126.9 deg by calibration")
    damaged = view_of([-300, -200, -100, 0], spec=spec, calibration=calibration, bad=[0])
    assert look(damaged)[0].outcome is TickOutcome.IMAGE_INVALID


def test_the_same_frame_may_be_nearest_to_two_grid_times(view_of):
    assert times_ms(look(view_of([-300, -150, 0]))[0]) == [-300, -150, -150, 0]


def test_decoded_pictures_are_bounded_by_the_frames_of_one_observation(view_of):
    view = view_of(range(-300, 5000, 20))
    for step in range(49):
        pictures, _ = look(view, t0_ns=T0_NS + step * 100 * MS)
        assert len(pictures) == 4
        assert len(view._pictures) == 4


def test_a_cleared_view_forgets_pictures_with_the_same_stamps(build, view_of):
    view = view_of([-300, -200, -100, 0])
    look(view)
    view.clear()
    assert look(view)[0].outcome is TickOutcome.CAMERA_MISSING
    for time_ms in (-300, -200, -100, 0):
        view.add_frame(build.frame("front", T0_NS + time_ms * MS, 99))
    assert look(view)[1].min() == 99


@settings(deadline=None, max_examples=60)
@given(rate_hz=st.integers(10, 60), phase_ms=st.floats(0.0, 99.0), seed=st.integers(0, 2**32 - 1))
def test_at_every_rate_phase_and_jitter_the_frames_are_the_nearest(view_of, rate_hz, phase_ms, seed):
    generator = np.random.default_rng(seed)
    period_ms = 1000.0 / rate_hz
    times = phase_ms - 500.0 + np.arange(int(0.7 * rate_hz)) * period_ms
    times = times + generator.uniform(0.0, 0.4 * period_ms, len(times))
    times = np.unique(times[generator.random(len(times)) < 0.9].round(6))
    found, _ = look(view_of(times.tolist()))
    seen = [time_ms for time_ms in times if time_ms <= 50]
    if not seen or seen[-1] < -100:
        assert found.outcome in (TickOutcome.CAMERA_MISSING, TickOutcome.CAMERA_STALE)
        return
    chosen = [min(seen, key=lambda time_ms: (abs(time_ms - grid), time_ms)) for grid in (-300, -200, -100, 0)]
    errors = [abs(time_ms - grid) for time_ms, grid in zip(chosen, (-300, -200, -100, 0), strict=True)]
    if max(errors) <= 50:
        np.testing.assert_allclose(times_ms(found), chosen, atol=1e-5)
    else:
        assert found.outcome is (TickOutcome.CAMERA_SKEWED if errors[-1] > 50 else TickOutcome.CAMERA_OFF_GRID)


def test_a_camera_without_pictures_is_not_said_to_see(view_of):
    view = view_of([-300, -200, -100, 0])
    pictures, _ = look(view)
    view.judge(pictures[-1], np.zeros(3))
    assert view.health is not None
    assert look(view, t0_ns=T0_NS + 500 * MS)[0].outcome is TickOutcome.CAMERA_STALE
    assert view.health is None
    look(view)
    assert view.health is not None

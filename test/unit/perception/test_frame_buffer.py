"""The nearest frame is chosen, the older of two equally near, whatever was forgotten before."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from alpamayo_ros.perception.frame_buffer import FrameBuffer
from alpamayo_ros.structs.camera import CameraFrame

ALWAYS = 2**62


def filled(stamps_ns):
    buffer = FrameBuffer()
    for stamp_ns in stamps_ns:
        buffer.add(CameraFrame("front", stamp_ns, "mono8", b""))
    return buffer


def test_of_two_equally_near_frames_the_older_is_chosen():
    buffer = filled([100, 200])
    assert [buffer.nearest(time_ns, ALWAYS).stamp_ns for time_ns in (149, 150, 151)] == [100, 100, 200]


def test_frames_after_the_limit_are_not_seen():
    buffer = filled([100, 200])
    assert buffer.nearest(200, 199).stamp_ns == 100
    assert buffer.newest(199).stamp_ns == 100
    assert buffer.newest(200).stamp_ns == 200
    assert buffer.newest(99) is None
    with pytest.raises(ValueError, match="no frame up to 99 ns"):
        buffer.nearest(200, 99)


def test_a_frame_that_is_not_newer_is_refused():
    buffer = filled([100])
    with pytest.raises(ValueError, match="front stamp 100 ns is not newer; expected more than 100 ns"):
        buffer.add(CameraFrame("front", 100, "mono8", b""))


def test_a_cleared_buffer_takes_older_frames():
    buffer = filled([100])
    buffer.clear()
    buffer.add(CameraFrame("front", 50, "mono8", b""))
    assert len(buffer) == 1


@settings(deadline=None, max_examples=150)
@given(st.lists(st.integers(0, 500), min_size=1, unique=True), st.integers(-50, 550), st.data())
def test_forgetting_changes_no_choice_at_or_after_the_boundary(stamps_ns, boundary_ns, data):
    stamps_ns.sort()
    buffer = filled(stamps_ns)
    buffer.forget_before(boundary_ns)
    time_ns = data.draw(st.integers(boundary_ns, 600))
    expected = min(stamps_ns, key=lambda stamp_ns: (abs(stamp_ns - time_ns), stamp_ns))
    assert buffer.nearest(time_ns, ALWAYS).stamp_ns == expected
    assert buffer.newest(ALWAYS).stamp_ns == stamps_ns[-1]
    assert sum(stamp_ns <= boundary_ns for stamp_ns in buffer._stamps_ns) <= 1

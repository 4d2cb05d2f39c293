"""Move odometry that is about another frame to the rig."""

from alpamayo_ros.errors import TopicError
from alpamayo_ros.geometry.transform import move_odometry
from alpamayo_ros.messages.translator import RIG_FRAME
from alpamayo_ros.structs.pose import OdometryFrame, OdometrySample


class RigOdometry:
    """Turns poses of whatever frame one odometry topic is about into poses of the rig."""

    def __init__(self, frame: OdometryFrame | None, rig_frame: str = RIG_FRAME) -> None:
        """Take what the calibration says about the odometry's frame, None where it says nothing."""
        self._frame = frame
        self._rig_frame = rig_frame
        self._child_frame: str | None = None
        self._moves = False

    def to_rig(self, sample: OdometrySample, child_frame: str, topic: str) -> OdometrySample:
        """Return the pose of the rig.

        Args:
            sample: Pose of the child frame.
            child_frame: ``child_frame_id`` of the message.
            topic: For error texts.

        Raises:
            TopicError: The odometry is about a frame that nothing connects with the rig, or about another frame
                than before.
        """
        if child_frame != self._child_frame:
            self._bind(child_frame, topic)
        return move_odometry(sample, self._frame.rig_in_child) if self._moves and self._frame is not None else sample

    def _bind(self, child_frame: str, topic: str) -> None:
        if self._child_frame is not None:
            raise TopicError(
                f"odometry {topic} changes its child_frame_id from {self._child_frame!r} to {child_frame!r}; "
                "expected one frame"
            )
        if child_frame != self._rig_frame:
            if self._frame is None or self._frame.child_frame != child_frame:
                raise TopicError(unconnected(topic, child_frame, self._rig_frame))
            self._moves = True
        self._child_frame = child_frame


def unconnected(topic: str, child_frame: str, rig_frame: str = RIG_FRAME) -> str:
    """Word that nothing connects the frame of the odometry with the rig."""
    return (
        f"odometry {topic} is about child_frame_id {child_frame!r}, and neither the calibration nor /tf_static "
        f"connects it with {rig_frame!r}; expected {rig_frame!r}, 'odometry' in the calibration, or a static transform"
    )

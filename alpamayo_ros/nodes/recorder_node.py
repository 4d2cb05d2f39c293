"""Records topics into bags that name the system that produced them: one bag for each activation."""

import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from alpamayo_ros.errors import AlpamayoError
from alpamayo_ros.monitoring.health import Health, Level
from alpamayo_ros.pipeline.setup import StackSetup
from alpamayo_ros.recording.bag_path import bag_name, open_at_free_path, validate_bag_folder
from alpamayo_ros.recording.definitions import DefinitionSource, prefixes_of
from alpamayo_ros.recording.health import RecorderFacts, recorder_health
from alpamayo_ros.recording.selection import TopicSelection
from alpamayo_ros.recording.session import RecordingSession
from alpamayo_ros.recording.status import RecordingState, RecordingStatus
from alpamayo_ros.ros.lifecycle import ManagedNode
from alpamayo_ros.ros.process import end_process, run_nodes
from alpamayo_ros.ros.recording_subscriptions import RecordingSubscriptions
from alpamayo_ros.ros.recording_topics import LINEAGE_INPUT, recorded_outputs, recording_selection
from alpamayo_ros.storage.mcap_files.writer import Compression

_NS_PER_MS = 1_000_000
_BYTES_PER_MB = 1_000_000
_QUIET_NS = 200 * _NS_PER_MS
_LONGEST_DRAIN_NS = 2000 * _NS_PER_MS


class RecorderNode(ManagedNode):
    """Writes what it selects; a bag begins with the activation and ends with the deactivation."""

    _selection: TopicSelection | None = None
    _definitions: DefinitionSource
    _folder: Path
    _session: RecordingSession | None = None
    _recorded: RecordingSubscriptions | None = None
    _taken = 0
    _last_ns = 0
    _looked_ns = 0

    def set_up(self, stack: StackSetup) -> None:
        """Read what is to be recorded, and refuse a folder that cannot be written."""
        own = stack.parameters.recorder
        bag_name(own.bag_prefix, 0)
        self._folder = Path(own.output_folder).expanduser().absolute()
        validate_bag_folder(self._folder)
        self._selection = recording_selection(self, stack)
        self._definitions = DefinitionSource(prefixes_of(os.environ.get("AMENT_PREFIX_PATH", ""), sys.prefix))

    def start(self) -> None:
        """Begin a bag and subscribe; where the time comes from /clock, as soon as there is one."""
        self._last_ns, self._taken = self.now_ns(), 0
        stamp_ns = self.get_clock().now().nanoseconds
        if stamp_ns <= 0 or self.stack is None or self._selection is None:
            return
        prefix = self.stack.parameters.recorder.bag_prefix
        session = open_at_free_path(self._folder, prefix, stamp_ns, lambda path: self._open(path, stamp_ns))
        self._session = session
        self._recorded = RecordingSubscriptions(self, session, self._selection, recorded_outputs(self))
        self.get_logger().info(f"recording into {session.status().path}")

    def stop(self) -> None:
        """Take what has arrived and close the bag."""
        if self._recorded is not None:
            self._recorded.close()
            self._recorded = None
        if self._session is None:
            return
        status = self._session.close()
        self._session = None
        if status.state is RecordingState.FAILED:
            self.exit_code = os.EX_IOERR
            self.fail(f"bag {status.path} is not whole: {status.reason}; {status.lost} message(s) are lost")
        else:
            self.get_logger().info(f"closed {status.path}: {_counts(status)}")

    def turn(self) -> None:
        """Follow the graph; begin where that had to wait for a clock."""
        if self._session is None:
            try:
                self.start()
            except AlpamayoError as error:
                self.fail(str(error))
            return
        if self._recorded is None:
            return
        if self._recorded.taken != self._taken:
            self._taken, self._last_ns = self._recorded.taken, self.now_ns()
        if self.now_ns() - self._looked_ns >= int(self.parameters.live("discovery_period_ms")) * _NS_PER_MS:
            self._looked_ns = self.now_ns()
            self._recorded.refresh()

    def before_shut_down(self, spin_once: Callable[[float], None]) -> None:
        """Take what nodes that end at the same time say last: until nothing comes for 0.2 s, 2 s at most."""
        begin_ns = quiet_ns = self.now_ns()
        taken = -1
        while self._recorded is not None and self.now_ns() - quiet_ns < _QUIET_NS:
            if self._recorded.taken != taken:
                taken, quiet_ns = self._recorded.taken, self.now_ns()
            if self.now_ns() - begin_ns > _LONGEST_DRAIN_NS:
                return
            spin_once(_QUIET_NS / 4e9)

    def connections(self) -> dict[str, int]:
        """Return the matched publishers by topic."""
        return self._recorded.connections() if self._recorded is not None else {}

    def health(self) -> Health:
        """Say what is written, or why nothing is."""
        if self._session is None or self._recorded is None:
            return Health(Level.WARN, "no bag yet: use_sim_time is true and nothing has come on /clock")
        facts = RecorderFacts(
            status=self._session.status(),
            silent_ns=self.now_ns() - self._last_ns,
            missed=self._recorded.missed,
            refusals=self._recorded.refusals,
            awaited=self._recorded.awaited,
        )
        return recorder_health(facts, int(self.parameters.live("silence_after_ms")) * _NS_PER_MS)

    def _open(self, path: Path, stamp_ns: int) -> RecordingSession:
        if self.stack is None:
            raise RuntimeError("the node is not configured")
        own = self.stack.parameters.recorder
        return RecordingSession(
            path,
            lineage=self.stack.lineage,
            opened_ns=stamp_ns,
            tags={"profile": self.stack.profile.name, "recorder": self.get_fully_qualified_name()},
            lineage_topic=self.resolve_topic_name(LINEAGE_INPUT),
            definitions=self._definitions,
            ros_distro=os.environ.get("ROS_DISTRO", "kilted"),
            compression=cast("Compression", own.compression),
            max_file_bytes=own.max_file_mb * _BYTES_PER_MB or None,
        )


def _counts(status: RecordingStatus) -> str:
    refused = f", {status.refused} refused" if status.refused else ""
    return f"{status.messages} messages on {sum(topic.messages > 0 for topic in status.topics)} topics{refused}"


def main() -> int:
    """Run the node; the exit code is 74 if a bag is not whole because the disk failed."""
    return run_nodes(lambda: [RecorderNode("recorder")])


if __name__ == "__main__":
    end_process(main())

"""One recording: a bag that is written while the world goes on, and an account of everything that is not in it."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import final

from alpamayo_ros.errors import AlpamayoError, BagError, BagWriteError, ConfigurationError, TopicError
from alpamayo_ros.messages.topics import output_topic
from alpamayo_ros.recording.definitions import DefinitionSource, MessageDefinition, is_type_name, stated_hash
from alpamayo_ros.recording.lineage_message import LINEAGE_TYPE, bag_identity, lineage_of, lineage_payload
from alpamayo_ros.recording.offers import requested_qos, stored_offers
from alpamayo_ros.recording.selection import is_full_name
from alpamayo_ros.recording.status import RecordingState, RecordingStatus, TopicStatus
from alpamayo_ros.storage.filesystem import LOCAL_FILE_SYSTEM, FileSystem
from alpamayo_ros.storage.mcap_files.writer import Compression
from alpamayo_ros.storage.qos import LATCHED_QOS, QosProfile
from alpamayo_ros.storage.reader import MAX_SORT_BYTES, open_bag
from alpamayo_ros.storage.writer import CHUNK_BYTES, MAX_STAMP_NS, BagWriter
from alpamayo_ros.structs.lineage import Lineage

MAX_MESSAGE_BYTES = MAX_SORT_BYTES
"""Largest message that is recorded: what readers hold in memory to bring messages into order."""

MAX_WARNINGS = 100

_NO_DEFINITION = ""
"""Encoding of a definition that is not there; ``ros2msg`` would say that the type has no fields."""


@dataclass(slots=True)
class _Tally:
    """What became of one topic so far."""

    name: str
    type_name: str
    declared: bool = False
    messages: int = 0
    payload_bytes: int = 0
    lost: int = 0
    refused: int = 0
    reason: str = ""

    def refuse(self, reason: str) -> bool:
        """Count a message that is not accepted."""
        self.refused += 1
        self.reason = reason
        return False

    def status(self) -> TopicStatus:
        return TopicStatus(
            name=self.name,
            type_name=self.type_name,
            messages=self.messages,
            payload_bytes=self.payload_bytes,
            lost=self.lost,
            refused=self.refused,
            reason=self.reason,
        )


@final
class RecordingSession:
    """Writes one bag. After the constructor nothing raises: what cannot be recorded is counted, with its reason.

    Not safe for use from several threads at once. A disk that fails ends the recording in the state ``failed``: the
    bag is closed at once, so that what is on the disk stays readable even if the power fails next, and everything
    that comes later counts as lost.
    """

    def __init__(
        self,
        path: Path,
        *,
        lineage: Lineage | None,
        opened_ns: int,
        tags: Mapping[str, str] | None = None,
        lineage_topic: str | None = None,
        definitions: DefinitionSource | None = None,
        ros_distro: str = "kilted",
        compression: Compression = "zstd",
        chunk_size: int = CHUNK_BYTES,
        max_file_bytes: int | None = None,
        max_message_bytes: int = MAX_MESSAGE_BYTES,
        filesystem: FileSystem = LOCAL_FILE_SYSTEM,
    ) -> None:
        """Make the bag.

        Args:
            path: Folder to make; see ``free_bag_path``.
            lineage: Lineage of the system whose outputs are recorded; None if no model takes part.
            opened_ns: Time of the recorder's clock in ns.
            tags: Further flat texts for people and searches.
            lineage_topic: Topic of the lineage inside the bag. Where the graph's own lineage topic is recorded it has
                to be that one; the bag then holds one topic with our message before the graph's.
            definitions: Where message definitions are found.
            ros_distro: Distribution that the definitions are of.
            compression: Of chunks: ``zstd``, ``lz4`` or ``none``.
            chunk_size: Serialized bytes of one chunk, which is what a killed process loses at most.
            max_file_bytes: Size after which the next file is begun; None for one file.
            max_message_bytes: Size in bytes beyond which a message is refused.
            filesystem: Where to write.

        Raises:
            OutputError: The path exists already or cannot be written.
            BagWriteError: The disk is full or faulty.
            ConfigurationError: A tag, an option or the lineage topic is not usable.
        """
        self._lineage_topic = lineage_topic or output_topic("lineage").resolved()
        if not is_full_name(self._lineage_topic):
            raise TopicError(
                f"lineage topic is {self._lineage_topic[:200]!r}; expected a full topic name such as '/lineage'"
            )
        if not 0 <= opened_ns <= MAX_STAMP_NS:
            raise ConfigurationError(f"recording opens at {opened_ns} ns; expected 0 to {MAX_STAMP_NS}")
        self._path = Path(path)
        self._identity = bag_identity(lineage, tags or {})
        self._lineage = lineage
        self._opened_ns = opened_ns
        self._definitions = definitions or DefinitionSource()
        self._max_message_bytes = max_message_bytes
        self._state = RecordingState.RECORDING
        self._reason = ""
        self._last_receive_ns: int | None = None
        self._steps_back = 0
        self._tallies: dict[str, _Tally] = {}
        self._warnings: dict[str, None] = {}
        self._unsaid_warnings = 0
        self._writer = BagWriter(
            self._path,
            identity=self._identity,
            compression=compression,
            ros_distro=ros_distro,
            chunk_size=chunk_size,
            max_file_bytes=max_file_bytes,
            filesystem=filesystem,
        )
        if lineage is not None:
            self.add_topic(self._lineage_topic, LINEAGE_TYPE, (LATCHED_QOS,))

    @property
    def state(self) -> RecordingState:
        """What the recording is doing."""
        return self._state

    def add_topic(
        self, name: str, type_name: str, offers: tuple[QosProfile, ...] = (), *, announced_hash: str = ""
    ) -> bool:
        """Declare a topic before its first message; once more with the same type changes nothing in the bag.

        A type whose definition is not found is recorded without one, with a warning: it plays, but tools that do not
        know the type cannot show it.

        Args:
            name: Full topic name.
            type_name: Type such as ``nav_msgs/msg/Odometry``.
            offers: What its publishers offer, as far as they are known.
            announced_hash: RIHS01 hash that its publishers announce, empty if they announce none.

        Returns:
            Whether messages of it are accepted; if not, ``status`` says why.
        """
        tally = self._tallies.setdefault(name, _Tally(name, type_name))
        if self._state is not RecordingState.RECORDING:
            tally.reason = self._not_recording()
            return False
        if tally.declared and tally.type_name != type_name:
            tally.reason = (
                f"topic {name} is a {tally.type_name} in this bag and is offered as {type_name[:200]!r} too; "
                "expected one type for each topic"
            )
            self._warn(tally.reason)
            return False
        for warning in requested_qos(name, offers).warnings:
            self._warn(warning)
        if tally.declared:
            return True
        try:
            definition = self._definition(name, type_name, announced_hash)
            self._writer.add_topic(
                name,
                type_name,
                qos=stored_offers(offers),
                definition=definition.text,
                type_hash=definition.type_hash,
                definition_encoding=definition.encoding,
            )
        except ConfigurationError as error:
            tally.type_name, tally.reason = type_name, str(error)
            self._warn(str(error))
            return False
        except BagWriteError as error:
            self._fail(error)
            return False
        tally.type_name, tally.declared, tally.reason = type_name, True, ""
        return True

    def write(self, topic: str, payload: bytes, *, receive_ns: int, publish_ns: int | None = None) -> bool:
        """Append one message.

        The receive time may step back, as ROS time does where a bag is played in a loop; the step is counted, and
        readers bring the bag into the order of receive times.

        Args:
            topic: Name of an added topic.
            payload: Serialized message.
            receive_ns: When it was received, in ns of the recorder's clock.
            publish_ns: When it was sent, in ns. None, or a time that no bag can hold, counts as unknown and becomes
                the receive time.

        Returns:
            Whether it was accepted; if not, ``status`` counts it.
        """
        tally = self._tallies.get(topic)
        if tally is None:
            tally = self._tallies[topic] = _Tally(topic, "")
        if not tally.declared:
            return tally.refuse(tally.reason or f"topic {topic!r} was not added; expected add_topic first")
        if self._state is RecordingState.FAILED:
            tally.lost += 1
            return False
        if self._state is RecordingState.CLOSED:
            return tally.refuse(self._not_recording())
        if len(payload) > self._max_message_bytes:
            return tally.refuse(
                f"message on {topic} has {len(payload)} bytes; expected at most {self._max_message_bytes}"
            )
        try:
            self._write_lineage(receive_ns)
            self._writer.write(
                topic, payload, receive_ns=receive_ns, publish_ns=_usable_publish_ns(publish_ns, receive_ns)
            )
        except ConfigurationError as error:
            return tally.refuse(str(error))
        except BagWriteError as error:
            tally.lost += 1
            self._fail(error)
            return False
        self._count(tally, len(payload))
        if self._last_receive_ns is not None and receive_ns < self._last_receive_ns:
            self._steps_back += 1
        self._last_receive_ns = receive_ns
        if tally.type_name == LINEAGE_TYPE:
            self._compare_lineage(topic, payload)
        return True

    def close(self) -> RecordingStatus:
        """Write what is buffered, the index and metadata.yaml; closing twice does nothing.

        Returns:
            The final status; its state is ``failed`` if the disk failed, now or before.
        """
        if self._state is RecordingState.RECORDING:
            try:
                self._write_lineage(self._opened_ns)
                self._writer.close()
                self._state = RecordingState.CLOSED
            except BagWriteError as error:
                self._fail(error)
        return self.status()

    def status(self) -> RecordingStatus:
        """Return what is recorded and what is not, for diagnostics."""
        topics = tuple(tally.status() for tally in self._tallies.values())
        unsaid = (f"{self._unsaid_warnings} further warnings",) if self._unsaid_warnings else ()
        return RecordingStatus(
            path=self._path,
            state=self._state,
            reason=self._reason,
            lineage_id=self._identity.lineage_id,
            envelope_id=self._identity.envelope_id,
            messages=sum(topic.messages for topic in topics),
            payload_bytes=sum(topic.payload_bytes for topic in topics),
            lost=sum(topic.lost for topic in topics),
            refused=sum(topic.refused for topic in topics),
            last_receive_ns=self._last_receive_ns,
            steps_back=self._steps_back,
            topics=topics,
            warnings=(*self._warnings, *unsaid),
        )

    def _write_lineage(self, receive_ns: int) -> None:
        """Write the latched lineage once, at the time of the first message.

        Not at the time of opening: a recorder that follows /clock opens at time 0, and players wait from the time of
        a bag's first message on.
        """
        if self._lineage is None:
            return
        tally = self._tallies[self._lineage_topic]
        if not 0 <= receive_ns <= MAX_STAMP_NS:
            return  # The message itself is going to be refused; the next one brings the lineage.
        payload = lineage_payload(self._lineage, receive_ns)
        self._writer.write(self._lineage_topic, payload, receive_ns=receive_ns, publish_ns=receive_ns)
        self._lineage = None
        self._count(tally, len(payload))

    def _count(self, tally: _Tally, size: int) -> None:
        tally.messages += 1
        tally.payload_bytes += size

    def _definition(self, topic: str, type_name: str, announced_hash: str) -> MessageDefinition:
        try:
            return self._definitions.find(type_name, announced_hash)
        except TopicError as error:
            if not is_type_name(type_name):
                raise
            self._warn(f"topic {topic} is recorded without a definition: {error}")
            return MessageDefinition(type_name, "", _NO_DEFINITION, stated_hash(announced_hash), "")

    def _compare_lineage(self, topic: str, payload: bytes) -> None:
        """Say at once what a verifier of the bag would say later."""
        try:
            named = lineage_of(payload)
        except AlpamayoError as error:
            self._warn(f"topic {topic}: {error}")
            return
        for what, told, written in (
            ("lineage", named.lineage_id, self._identity.lineage_id),
            ("envelope", named.envelope_id, self._identity.envelope_id),
        ):
            if told != written:
                self._warn(
                    f"topic {topic} names the {what} {told}, but the bag is written as {written}; "
                    "expected a new bag for another system"
                )

    def _warn(self, text: str) -> None:
        if text in self._warnings:
            return
        if len(self._warnings) < MAX_WARNINGS:
            self._warnings[text] = None
        else:
            self._unsaid_warnings += 1

    def _not_recording(self) -> str:
        return f"the recording is {self._state.value}; expected no more topics and messages"

    def _fail(self, error: BagWriteError) -> None:
        """Save what can be saved, and count what cannot: the chunk in progress, and those that made room."""
        self._state = RecordingState.FAILED
        self._reason = str(error)
        if self._lineage is not None:
            self._tallies[self._lineage_topic].lost += 1
        try:
            self._writer.close()
        except BagWriteError as close_error:
            self._reason = str(close_error)
        try:
            with open_bag(self._path) as reader:
                stored = {name: topic.message_count for name, topic in reader.topics.items()}
        except BagError as read_error:
            self._warn(f"how much of the bag can be read is not known: {read_error}")
            return
        for tally in self._tallies.values():
            gone = tally.messages - stored.get(tally.name, 0)
            tally.messages -= gone
            tally.lost += gone


def _usable_publish_ns(publish_ns: int | None, receive_ns: int) -> int:
    """Return when a message was sent; a middleware that does not know says 0 or anything else."""
    if publish_ns is None or not 0 < publish_ns <= MAX_STAMP_NS:
        return receive_ns
    return publish_ns

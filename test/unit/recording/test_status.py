"""What a recording says of itself fits into diagnostics."""

from alpamayo_ros.recording.status import RecordingState, TopicStatus


def test_states_are_the_words_that_people_read() -> None:
    assert [state.value for state in RecordingState] == ["recording", "failed", "closed"]


def test_a_topic_begins_with_nothing() -> None:
    topic = TopicStatus("/a", "std_msgs/msg/String")
    assert (topic.messages, topic.payload_bytes, topic.lost, topic.refused, topic.reason) == (0, 0, 0, 0, "")

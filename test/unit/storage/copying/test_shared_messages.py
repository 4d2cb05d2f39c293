"""What several streams bring is kept once, what one stream brings twice is kept twice."""

from collections import Counter
from collections.abc import Iterator, Sequence

from hypothesis import given
from hypothesis import strategies as st

from alpamayo_ros.storage.copying.shared_messages import SharedMessages
from alpamayo_ros.storage.copying.streams import Digested
from alpamayo_ros.storage.message import BagMessage

RANKS = {"/a": 0, "/b": 1}
Row = tuple[int, str, int, str]

streams = st.lists(
    st.lists(
        st.tuples(st.integers(0, 3), st.sampled_from("ab"), st.integers(0, 1), st.sampled_from("xy")), max_size=12
    ),
    min_size=1,
    max_size=3,
)


def stream(rows: Sequence[Row]) -> Iterator[Digested]:
    for receive_ns, topic, publish_ns, payload in sorted(rows, key=lambda row: row[:2]):
        yield BagMessage(f"/{topic}", "", receive_ns, publish_ns, payload.encode()), payload


def merged(*several: Sequence[Row]) -> tuple[list[BagMessage], SharedMessages]:
    shared = SharedMessages()
    found = [message for message, _ in shared.merged([(0, stream(rows)) for rows in several], RANKS)]
    return found, shared


@given(streams)
def test_of_equal_messages_there_are_as_many_as_in_the_stream_that_has_most(several: list[list[Row]]) -> None:
    found, shared = merged(*several)
    counts = [Counter(message for message, _ in stream(rows)) for rows in several]
    most: Counter[BagMessage] = Counter()
    for count in counts:
        most |= count
    assert Counter(found) == most
    assert shared.kept_once.total() == sum(count.total() for count in counts) - len(found)
    assert found == sorted(found, key=lambda message: (message.receive_ns, RANKS[message.topic]))


@given(streams.filter(lambda several: len(several) == 1))
def test_a_stream_and_its_copy_are_the_stream(several: list[list[Row]]) -> None:
    assert merged(several[0], several[0])[0] == [message for message, _ in stream(several[0])]


def test_a_message_that_differs_in_anything_is_another() -> None:
    found, shared = merged([(1, "a", 0, "x")], [(1, "a", 0, "y"), (1, "b", 0, "x"), (2, "a", 0, "x")])
    assert (len(found), shared.kept_once, shared.publish_differs) == (4, {}, {})


def test_messages_that_differ_in_their_publish_time_alone_are_kept_and_counted() -> None:
    found, shared = merged([(1, "a", 0, "x"), (1, "a", 0, "x")], [(1, "a", 7, "x"), (2, "a", 7, "x")])
    assert (len(found), shared.kept_once, shared.publish_differs) == (4, {}, {"/a": 1})

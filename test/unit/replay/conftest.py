"""Bags that several tests of the replay share."""

from pathlib import Path

import pytest

from alpamayo_ros.storage.reader import open_bag
from alpamayo_ros.storage.writer import BagWriter

DEMO = Path(__file__).resolve().parents[3] / "bags" / "demo"


@pytest.fixture(scope="module")
def short_bag(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the first 2.5 s of the demo bag."""
    path = tmp_path_factory.mktemp("short") / "bag"
    with open_bag(DEMO) as reader, BagWriter(path, identity=None) as writer:
        for name, topic in reader.topics.items():
            writer.add_topic(name, topic.type_name)
        for message in reader.messages(end_ns=(reader.start_ns or 0) + 2_500_000_000):
            writer.write(message.topic, message.payload, receive_ns=message.receive_ns, publish_ns=message.publish_ns)
    return path

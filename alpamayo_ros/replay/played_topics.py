"""Choose which topics of a bag are published again."""

from collections.abc import Collection, Mapping

from alpamayo_ros.errors import TopicError, expected_one_of
from alpamayo_ros.storage.digest import is_content, is_log
from alpamayo_ros.storage.message import TopicInfo

CLOCK_TOPIC = "/clock"


def played_topics(topics: Mapping[str, TopicInfo], named: Collection[str] = (), *, outputs: bool = False) -> list[str]:
    """Return the topics to play, by name.

    Args:
        topics: Topics of the bag.
        named: What is asked for, which is played whatever it is; empty for the bag's inputs. Its /clock is none of
            them: a player that wants one makes its own, which fits its rate and its pauses.
        outputs: Whether outputs of this package are played beside the inputs.

    Raises:
        TopicError: A named topic is not in the bag.
    """
    for name in named:
        if name not in topics:
            raise TopicError(expected_one_of("topics: topic", name, list(topics)))
    if named:
        return sorted(set(named))
    return sorted(
        name
        for name, topic in topics.items()
        if name != CLOCK_TOPIC and (is_content(name, topic.type_name) or (outputs and not is_log(name)))
    )

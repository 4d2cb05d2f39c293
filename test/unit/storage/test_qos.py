"""Quality of service in rosbag2's form."""

import pytest

from alpamayo_ros.storage.qos import INFINITE_NS, LATCHED_QOS, OUTPUT_QOS, SENSOR_QOS, QosProfile

NINE_KEYS = {
    "history",
    "depth",
    "reliability",
    "durability",
    "deadline",
    "lifespan",
    "liveliness",
    "liveliness_lease_duration",
    "avoid_ros_namespace_conventions",
}


@pytest.mark.parametrize("profile", [OUTPUT_QOS, LATCHED_QOS, SENSOR_QOS, QosProfile(deadline_ns=1_500_000_001)])
def test_a_profile_has_all_nine_keys_and_comes_back_from_them(profile: QosProfile) -> None:
    entry = profile.to_metadata_v9()
    assert set(entry) == NINE_KEYS
    assert QosProfile.from_metadata(entry) == profile


def test_infinite_durations_are_what_rmw_writes() -> None:
    assert OUTPUT_QOS.to_metadata_v9()["deadline"] == {"sec": 9223372036, "nsec": 854775807}
    assert OUTPUT_QOS.deadline_ns == INFINITE_NS


def test_our_profiles_say_what_the_topic_table_says() -> None:
    assert (OUTPUT_QOS.reliability, OUTPUT_QOS.durability, OUTPUT_QOS.depth) == ("reliable", "volatile", 10)
    assert (LATCHED_QOS.reliability, LATCHED_QOS.durability, LATCHED_QOS.depth) == ("reliable", "transient_local", 1)
    assert SENSOR_QOS.reliability == "best_effort"


def test_scalars_may_be_text() -> None:
    entry = {
        **OUTPUT_QOS.to_metadata_v9(),
        "depth": "3",
        "lifespan": {"sec": "1", "nsec": "2"},
        "avoid_ros_namespace_conventions": "true",
    }
    profile = QosProfile.from_metadata(entry)
    assert profile.depth == 3
    assert profile.lifespan_ns == 1_000_000_002
    assert profile.avoid_ros_namespace_conventions is True


def test_a_policy_word_that_is_not_known_becomes_unknown() -> None:
    assert QosProfile.from_metadata({**OUTPUT_QOS.to_metadata_v9(), "history": "newest"}).history == "unknown"


@pytest.mark.parametrize(
    ("key", "value"),
    [("depth", -1), ("depth", "ten"), ("depth", "1" * 40), ("deadline", "never"), ("deadline", {"sec": 1})],
)
def test_a_value_of_another_form_is_refused_and_named(key: str, value: object) -> None:
    with pytest.raises(ValueError, match=f"'{key}'|'nsec'"):
        QosProfile.from_metadata({**OUTPUT_QOS.to_metadata_v9(), key: value})


@pytest.mark.parametrize("key", sorted(NINE_KEYS))
def test_a_missing_key_is_named(key: str) -> None:
    entry = OUTPUT_QOS.to_metadata_v9()
    del entry[key]
    with pytest.raises(ValueError, match=f"'{key}' is missing"):
        QosProfile.from_metadata(entry)

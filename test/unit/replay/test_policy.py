"""A policy names every compared field, with a rule that fits it."""

import copy
from typing import Any

import pytest

from alpamayo_ros.errors import ConfigurationError
from alpamayo_ros.replay.policy import COMPARED_FIELDS, load_policy, parse_policy


def changed(change: Any) -> Any:
    document = copy.deepcopy(dict(load_policy().document))
    change(document["interfaces"])
    return document


def test_the_default_names_every_field_and_a_reason_for_each_ignored_one() -> None:
    policy = load_policy()
    assert {name: tuple(rules) for name, rules in policy.rules.items()} == dict(COMPARED_FIELDS)
    ignored = [rule for rules in policy.rules.values() for rule in rules.values() if rule.rule == "ignore"]
    assert ignored
    assert all(rule.reason for rule in ignored)


def test_the_default_sees_five_centimetres() -> None:
    rules = load_policy().rules["trajectory_set"]
    assert all(rules[name].tolerance is not None and rules[name].tolerance < 0.05 for name in ("x", "y", "z"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda i: i["tick"].pop("outcome"), "tick leaves out outcome"),
        (lambda i: i["tick"].update(extra={"rule": "exact"}), "names the unknown extra"),
        (lambda i: i["rationale"].update(text={"rule": "abs", "abs": 1, "unit": "m"}), "does not fit its type"),
        (lambda i: i["trajectory_set"].update(x={"rule": "words", "abs": 1, "unit": "m"}), "does not fit its type"),
        (lambda i: i["trajectory_set"].update(x={"rule": "abs", "unit": "m"}), "'abs' is a required property"),
        (lambda i: i["trajectory_set"].update(x={"rule": "abs", "abs": -1, "unit": "m"}), "minimum"),
        (lambda i: i["trajectory_set"].update(x={"rule": "abs", "abs": float("nan"), "unit": "m"}), "finite"),
        (lambda i: i["tick"].update(text={"rule": "ignore"}), "'reason' is a required property"),
        (lambda i: i.pop("rationale"), "'rationale' is a required property"),
    ],
)
def test_what_a_policy_cannot_mean_is_refused(change: Any, message: str) -> None:
    with pytest.raises(ConfigurationError, match=message):
        parse_policy(changed(change), "policy test")


def test_another_tolerance_is_another_policy() -> None:
    other = changed(lambda i: i["trajectory_set"]["x"].update(abs=0.02))
    assert parse_policy(other, "policy test").policy_id != load_policy().policy_id

"""Samples stand every half second, and closer where the decision changes."""

from alpamayo_ros.training.sampling_plan import sampled_steps


def test_a_steady_drive_is_sampled_every_half_second() -> None:
    assert sampled_steps(["go"] * 201, 200) == list(range(15, 137, 5))


def test_changes_are_sampled_more_closely() -> None:
    steps = sampled_steps(["go"] * 52 + ["stop"] * 149, 200)
    assert {50, 52, 54} <= set(steps)
    assert steps == sorted(set(steps))


def test_history_and_future_are_always_whole() -> None:
    steps = sampled_steps([str(step // 2) for step in range(201)], 200)
    assert min(steps) == 15
    assert max(steps) == 136


def test_a_drive_without_room_for_a_future_gives_nothing() -> None:
    assert sampled_steps(["go"] * 60, 59) == []
    assert sampled_steps([], 0) == []

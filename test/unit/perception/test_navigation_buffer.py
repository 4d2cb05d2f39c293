"""A command holds from its stamp on, until the next one or until it is too old, in whatever order they came."""

from itertools import permutations

from alpamayo_ros.perception.navigation_buffer import MAX_COMMANDS, NavigationBuffer
from alpamayo_ros.structs.navigation import Navigation, NavigationCommand

LEFT, RIGHT, NONE = Navigation.LEFT, Navigation.RIGHT, Navigation.NONE


def buffer(*commands: tuple[int, Navigation], max_age_ns: int = 100) -> NavigationBuffer:
    made = NavigationBuffer(max_age_ns)
    for stamp_ns, navigation in commands:
        made.add(NavigationCommand(stamp_ns, navigation))
    return made


def test_without_a_command_there_is_none() -> None:
    assert buffer().at(5) is NONE


def test_the_newest_command_at_or_before_a_time_holds() -> None:
    for order in permutations([(10, LEFT), (20, RIGHT), (30, NONE)]):
        made = buffer(*order)
        assert [made.at(time) for time in (9, 10, 19, 20, 29, 30)] == [NONE, LEFT, LEFT, RIGHT, RIGHT, NONE]


def test_a_command_that_is_too_old_is_none() -> None:
    made = buffer((10, LEFT))
    assert (made.at(110), made.at(111)) == (LEFT, NONE)


def test_of_two_with_one_stamp_the_first_counts() -> None:
    made = buffer((10, LEFT))
    assert not made.add(NavigationCommand(10, RIGHT))
    assert made.at(10) is LEFT
    assert made.add(NavigationCommand(11, RIGHT))


def test_what_still_holds_is_not_forgotten() -> None:
    made = buffer((10, LEFT), (20, RIGHT), (30, LEFT))
    made.forget_before(25)
    assert len(made) == 2
    assert made.at(25) is RIGHT
    made.forget_before(5)
    assert len(made) == 2
    made.clear()
    assert (len(made), made.at(30)) == (0, NONE)


def test_a_flood_of_commands_is_bounded() -> None:
    made = buffer(*((stamp, LEFT) for stamp in range(2 * MAX_COMMANDS)))
    assert len(made) == MAX_COMMANDS
    assert made.at(2 * MAX_COMMANDS) is LEFT

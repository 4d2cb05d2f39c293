"""The output digest is over what was said at which t0, not over how it was stored."""

import hashlib

from alpamayo_ros.replay.output_digest import OutputDigest


def digest(*outputs: tuple[str, int, bytes]) -> str:
    built = OutputDigest()
    for output in outputs:
        built.add(*output)
    return built.digest()


def test_it_is_the_digest_of_sorted_lines() -> None:
    lines = [
        f"{name}\t{t0}\t{hashlib.sha256(data).hexdigest()}\n"
        for name, t0, data in [("a", 1, b"x"), ("b", 1, b"y"), ("a", 2, b"z")]
    ]
    expected = "sha256:" + hashlib.sha256("".join(lines).encode()).hexdigest()
    assert digest(("a", 2, b"z"), ("b", 1, b"y"), ("a", 1, b"x")) == expected


def test_nothing_said_is_the_digest_of_nothing() -> None:
    assert digest() == "sha256:" + hashlib.sha256().hexdigest()


def test_each_part_moves_it() -> None:
    built = {digest(("a", 1, b"x")), digest(("b", 1, b"x")), digest(("a", 2, b"x")), digest(("a", 1, b"y"))}
    assert len(built) == 4


def test_outputs_of_one_t0_keep_their_order() -> None:
    assert digest(("a", 1, b"x"), ("a", 1, b"y")) != digest(("a", 1, b"y"), ("a", 1, b"x"))

"""The sha256 of a file in progress, whoever computes it."""

import hashlib
import threading

import pytest

from alpamayo_ros.storage.running_sha256 import MIN_BESIDE_BYTES, RunningSha256, Sha256Thread

LARGE = bytes(range(256)) * (MIN_BESIDE_BYTES // 256)


def threads() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("sha256")]


def test_large_and_small_pieces_come_in_their_order() -> None:
    thread = Sha256Thread()
    digest, data = RunningSha256(thread), b""
    for parts in ([b"a"], [LARGE, b"b"], [LARGE], [], [b"c", b"d"], [LARGE[1:], b"e"]):
        digest, data = digest.plus(parts), data + b"".join(parts)
    assert digest.hexdigest() == hashlib.sha256(data).hexdigest()
    thread.close()


def test_a_piece_that_is_forgotten_leaves_no_trace() -> None:
    thread = Sha256Thread()
    before = RunningSha256(thread).plus([LARGE])
    before.plus([LARGE])
    before.plus([b"small"])
    assert before.plus([b"b"]).hexdigest() == hashlib.sha256(LARGE + b"b").hexdigest()
    thread.close()


def test_there_is_one_thread_only_while_it_is_needed() -> None:
    thread = Sha256Thread()
    digest = RunningSha256(thread).plus([b"small"])
    assert threads() == []
    digest = digest.plus([LARGE]).plus([LARGE])
    assert len(threads()) == 1
    thread.close()
    assert threads() == []
    assert digest.hexdigest() == hashlib.sha256(b"small" + 2 * LARGE).hexdigest()


def test_without_a_thread_it_is_computed_by_the_caller(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    thread = Sha256Thread()
    digest = RunningSha256(thread).plus([LARGE]).plus([LARGE])
    assert digest.hexdigest() == hashlib.sha256(2 * LARGE).hexdigest()
    thread.close()

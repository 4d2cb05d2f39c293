"""A picture is decoded once, and a damaged one is remembered by its reason."""

import hashlib

from alpamayo_ros.perception.picture_cache import PictureCache
from alpamayo_ros.perception.picture_file import PictureSize
from alpamayo_ros.structs.camera import CameraFrame
from alpamayo_ros.structs.observation import FrameReference


def test_a_picture_is_decoded_once_and_named_by_its_payload(build):
    cache, frame = PictureCache(PictureSize(8, 6)), build.frame("front", 5, 7)
    picture = cache.read(frame, ())
    assert picture.rgb.shape == (6, 8, 3)
    assert picture.reference == FrameReference("front", 5, hashlib.sha256(frame.data).hexdigest(), 4, 4)
    # The stamp decides, so other bytes with the same stamp would not be looked at.
    assert cache.read(build.frame("front", 5, 9), ()) is picture


def test_a_reason_is_remembered_too():
    cache = PictureCache(PictureSize(8, 6))
    reason = cache.read(CameraFrame("front", 5, "jpeg", b"nothing"), ())
    assert "expected a JPEG or PNG file" in reason
    assert cache.read(CameraFrame("front", 5, "jpeg", b""), ()) is reason


def test_only_wanted_pictures_are_kept(build):
    cache = PictureCache(PictureSize(8, 6))
    for stamp_ns in range(5):
        cache.read(build.frame("front", stamp_ns), ())
    cache.keep_only({1, 3, 9})
    assert len(cache) == 2
    cache.clear()
    assert len(cache) == 0


def test_a_detector_gets_its_own_size_of_each_picture(build):
    sizes = []
    cache = PictureCache(PictureSize(8, 6), lambda received: sizes.append(received) or PictureSize(5, 3))
    assert cache.read(build.frame("front", 5, 7), ()).view.shape == (3, 5, 3)
    assert sizes == [PictureSize(4, 4)]
    assert PictureCache(PictureSize(8, 6)).read(build.frame("front", 5, 7), ()).view is None

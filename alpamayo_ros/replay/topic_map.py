"""Find which topic of a bag carries which input."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from alpamayo_ros.errors import TopicError
from alpamayo_ros.messages.topics import CAMERA_INFO_TYPE, COMPRESSED_TYPE, NAVIGATION_TYPE, ODOMETRY_TYPE, RAW_TYPE
from alpamayo_ros.params.documents import load_yaml, validate_document
from alpamayo_ros.params.profile import Profile
from alpamayo_ros.storage.message import TopicInfo


@dataclass(frozen=True, slots=True)
class TopicMap:
    """Which topic carries which input.

    Attributes:
        odometry: Odometry topic.
        cameras: Picture topic by camera id; may name more cameras than the profile needs.
        camera_info: CameraInfo topic by camera id.
        navigation: Topic of navigation commands, empty if there is none.
        found: Whether the topics were found in the bag rather than given.
    """

    odometry: str
    cameras: Mapping[str, str] = field(default_factory=dict)
    camera_info: Mapping[str, str] = field(default_factory=dict)
    navigation: str = ""
    found: bool = False

    def describe(self) -> list[str]:
        """Return one line per input, for people."""
        lines = [f"odometry: {self.odometry}"]
        lines += [f"navigation: {self.navigation}"] if self.navigation else []
        lines += [f"camera {camera}: {topic}" for camera, topic in sorted(self.cameras.items())]
        return lines


def resolve_topics(profile: Profile, topics: Mapping[str, TopicInfo], path: Path | None) -> TopicMap:
    """Return the topics of every input that a profile needs.

    Args:
        profile: The profile.
        topics: Topics of the bag.
        path: Topics file, None to find them by type and name.

    Raises:
        TopicError: A topic is missing, ambiguous or of another type; the candidates are listed.
    """
    chosen = _found(profile, topics) if path is None else _given(topics, path)
    for kind in (chosen.cameras, chosen.camera_info):
        for topic, count in Counter(kind.values()).items():
            if count > 1:
                ids = ", ".join(sorted(camera for camera, name in kind.items() if name == topic))
                raise TopicError(f"topic {topic} is named for the cameras {ids}; expected one camera per topic")
    for camera in profile.cameras:
        if camera.id not in chosen.cameras:
            raise TopicError(
                f"no picture topic for camera {camera.id!r} of profile {profile.name!r}; "
                f"candidates: {_candidates(topics, (COMPRESSED_TYPE, RAW_TYPE))}; name it with --topics"
            )
    return chosen


def read_topics_file(path: Path) -> dict[str, Any]:
    """Read a topics file: ``odometry``, ``navigation``, ``cameras`` and ``camera_info``, each as far as it is given.

    Raises:
        TopicError: It cannot be read or is not valid.
    """
    document = load_yaml(path, "topics file", TopicError)
    validate_document({} if document is None else document, "topics", f"topics file {path}", TopicError)
    return dict(document or {})


def _given(topics: Mapping[str, TopicInfo], path: Path) -> TopicMap:
    what = f"topics file {path}"
    document = read_topics_file(path)
    cameras = dict(document.get("cameras", {}))
    infos = dict(document.get("camera_info", {}))
    for name in cameras.values():
        _require_type(topics, name, (COMPRESSED_TYPE, RAW_TYPE), what)
    for name in infos.values():
        _require_type(topics, name, (CAMERA_INFO_TYPE,), what)
    if "odometry" in document:
        _require_type(topics, document["odometry"], (ODOMETRY_TYPE,), what)
    odometry = document.get("odometry") or _sole_odometry(topics)
    if "navigation" in document:
        _require_type(topics, document["navigation"], (NAVIGATION_TYPE,), what)
    navigation = document.get("navigation") or _sole_navigation(topics)
    return TopicMap(odometry, cameras, {**_matching_infos(topics, cameras), **infos}, navigation)


def _found(profile: Profile, topics: Mapping[str, TopicInfo]) -> TopicMap:
    cameras: dict[str, str] = {}
    for camera in profile.cameras:
        matches = [name for name in _of_type(topics, (COMPRESSED_TYPE, RAW_TYPE)) if camera.id in name.split("/")]
        if len(matches) > 1:
            raise TopicError(
                f"camera {camera.id!r} has {len(matches)} picture topics: {', '.join(matches)}; "
                "expected one; name it with --topics"
            )
        if matches:
            cameras[camera.id] = matches[0]
    taken = set(cameras.values())
    for name in _of_type(topics, (COMPRESSED_TYPE, RAW_TYPE)):
        camera_id = camera_id_of(name)
        if name not in taken and camera_id not in cameras:
            cameras[camera_id] = name
    infos = _matching_infos(topics, cameras)
    return TopicMap(_sole_odometry(topics), cameras, infos, _sole_navigation(topics), found=True)


def camera_id_of(topic: str) -> str:
    """Return the part of a picture topic that names its camera: the one before ``image...``, else the last."""
    parts = [part for part in topic.split("/") if part]
    for index, part in enumerate(parts):
        if index and part.startswith("image"):
            return parts[index - 1]
    return parts[-1] if parts else topic


def _sole_odometry(topics: Mapping[str, TopicInfo]) -> str:
    found = _of_type(topics, (ODOMETRY_TYPE,))
    if len(found) != 1:
        problem = "no topic" if not found else f"{len(found)} topics"
        raise TopicError(
            f"the bag has {problem} of type {ODOMETRY_TYPE}; candidates: {_candidates(topics, (ODOMETRY_TYPE,))}; "
            "expected one; name it with --topics"
        )
    return found[0]


def _sole_navigation(topics: Mapping[str, TopicInfo]) -> str:
    """Return the topic of navigation commands, empty if there is none: without commands a model follows the road."""
    found = _of_type(topics, (NAVIGATION_TYPE,))
    if len(found) > 1:
        raise TopicError(
            f"the bag has {len(found)} topics of type {NAVIGATION_TYPE}: {', '.join(found)}; expected at most one; "
            "name it with --topics"
        )
    return found[0] if found else ""


def _matching_infos(topics: Mapping[str, TopicInfo], cameras: Mapping[str, str]) -> dict[str, str]:
    infos = _of_type(topics, (CAMERA_INFO_TYPE,))
    matched: dict[str, str] = {}
    for camera, topic in cameras.items():
        beside = [name for name in infos if camera in name.split("/") or _shares_namespace(name, topic)]
        if len(beside) == 1:
            matched[camera] = beside[0]
    return matched


def _shares_namespace(info: str, picture: str) -> bool:
    namespace = info.rsplit("/", 1)[0]
    return bool(namespace) and picture.startswith(f"{namespace}/")


def _of_type(topics: Mapping[str, TopicInfo], types: tuple[str, ...]) -> list[str]:
    return sorted(name for name, info in topics.items() if info.type_name in types)


def _candidates(topics: Mapping[str, TopicInfo], types: tuple[str, ...]) -> str:
    fitting = _of_type(topics, types)
    if fitting:
        return ", ".join(fitting)
    others = ", ".join(f"{name} ({info.type_name})" for name, info in sorted(topics.items())) or "the bag has no topics"
    return f"none of that type; the bag has: {others}"


def _require_type(topics: Mapping[str, TopicInfo], name: str, types: tuple[str, ...], what: str) -> None:
    if name not in topics:
        raise TopicError(f"{what}: topic {name!r} is not in the bag; candidates: {_candidates(topics, types)}")
    if topics[name].type_name not in types:
        raise TopicError(
            f"{what}: topic {name!r} has type {topics[name].type_name}; expected {' or '.join(types)}; "
            f"candidates: {_candidates(topics, types)}"
        )

"""The runtime component names our sources and the libraries that compute."""

import hashlib

import cv2
import numpy as np

from alpamayo_ros.lineage.runtime import package_version, provenance, runtime_details, source_digest, source_files


def test_sources_are_our_modules_and_data_without_generated_files() -> None:
    names = [name for name, _ in source_files()]
    assert "errors.py" in names
    assert "_data/msg/TickStatus.msg" in names
    assert "_data/config/profiles/kinematic.yaml" in names
    assert not [name for name in names if name.startswith(("msg/", "srv/"))]
    assert not [name for name in names if not name.startswith("_data/") and not name.endswith(".py")]
    assert names == sorted(names)


def test_models_are_components_of_their_own() -> None:
    assert not [name for name, _ in source_files() if name.startswith("_data/config/models/")]


def test_the_source_digest_is_over_paths_and_digests() -> None:
    lines = "".join(f"{name}\t{hashlib.sha256(file.read_bytes()).hexdigest()}\n" for name, file in source_files())
    assert source_digest() == hashlib.sha256(lines.encode()).hexdigest()


def test_the_libraries_that_compute_are_named_with_their_versions() -> None:
    details = runtime_details()
    assert details["numpy"] == np.__version__
    assert details["opencv"] == cv2.__version__
    assert details["alpamayo_ros"] == package_version() != "unknown"


def test_provenance_names_host_and_python_in_words() -> None:
    assert set(provenance()) == {"cpu", "cpu_count", "machine", "operating_system", "python"}
    assert all(provenance().values())

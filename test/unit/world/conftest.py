"""One world for all tests of this folder."""

import pytest

from alpamayo_ros.world.demo import demo_scene
from alpamayo_ros.world.renderer import Renderer
from alpamayo_ros.world.scene import Scene


@pytest.fixture(scope="session")
def scene() -> Scene:
    """The world of the committed bag; painting its ground takes two seconds."""
    return demo_scene(0)


@pytest.fixture(scope="session")
def renderer(scene: Scene) -> Renderer:
    return Renderer(scene)

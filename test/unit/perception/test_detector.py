"""What a detector says is sifted to actors of the road, with boxes in px of the picture as received."""

import numpy as np
import pytest

from alpamayo_ros.errors import BackendError, ParameterError, TensorSpecError
from alpamayo_ros.inference.backend import TensorSpec
from alpamayo_ros.params.detector import DetectorParams
from alpamayo_ros.perception.detector import ROAD_KINDS, ActorDetector
from alpamayo_ros.structs.detection import DetectedActor, count_by_label
from alpamayo_ros.structs.observation import FrameReference, Observation

CELLS = 4 * 4


class FakeSession:
    """A FastestDet of 64 x 64 px that says what it is told to."""

    input_specs = (TensorSpec("pictures", (1, 3, 64, 64), "float32"),)
    output_specs = (TensorSpec("said", (1, 85, 4, 4), "float32"),)

    def __init__(self):
        self.output = np.zeros((1, 85, 4, 4), np.float32)
        self.taken = []

    def say(self, row, column, kind, score, width=0.25, height=0.25):
        """One actor in the middle of a cell's upper left corner."""
        sizes = [float(np.log(side / (1 - side))) for side in (width, height)]
        self.output[0, :5, row, column] = (score, 0.0, 0.0, *sizes)
        self.output[0, 5 + kind, row, column] = score

    def infer(self, inputs, seed):
        self.taken.append(inputs["pictures"])
        return {"said": self.output}

    def warm_up(self):
        pass

    def close(self):
        pass


def detector_of(session, cameras=("front", "left"), **params):
    return ActorDetector(session, DetectorParams(detector_form="fastestdet", **params), cameras)


def detect(session, **params):
    view = np.zeros((64, 64, 3), np.uint8)
    return detector_of(session, **params).detect(view, FrameReference("front", 5, "sha256:a", 1920, 1080))


def test_boxes_are_in_px_of_the_picture_as_received_and_the_surest_comes_first():
    session = FakeSession()
    session.say(1, 1, kind=2, score=0.5)
    session.say(2, 3, kind=0, score=0.75)
    person, car = detect(session)
    assert person == DetectedActor("person", 0.75, "front", (1920 * 0.625, 1080 * 0.375, 480.0, 270.0), "front/0")
    assert (car.label, car.id) == ("car", "front/1")
    assert car.score == pytest.approx(0.5, abs=1e-6)
    assert car.box_px == pytest.approx((240.0, 135.0, 480.0, 270.0))


def test_what_does_not_matter_on_a_road_or_is_unsure_is_left_out():
    session = FakeSession()
    session.say(0, 0, kind=56, score=0.9)  # a chair
    session.say(1, 1, kind=2, score=0.34)
    assert detect(session) == ()
    assert len(detect(session, detector_min_score=0.3)) == 1


def test_of_two_boxes_of_one_actor_the_surer_stays_and_another_kind_is_another_actor():
    session = FakeSession()
    session.say(1, 1, kind=2, score=0.5, width=0.9, height=0.9)
    session.say(1, 2, kind=2, score=0.6, width=0.9, height=0.9)
    session.say(2, 2, kind=7, score=0.4, width=0.9, height=0.9)
    assert [(actor.label, round(actor.score, 2)) for actor in detect(session)] == [("car", 0.6), ("truck", 0.4)]
    assert len(detect(session, detector_max_overlap=1.0)) == 3


def test_parts_outside_the_picture_are_cut_off():
    session = FakeSession()
    session.say(0, 0, kind=2, score=0.5)
    (actor,) = detect(session)
    assert actor.box_px == pytest.approx((0.0, 0.0, 240.0, 135.0))


def test_equal_scores_have_one_order():
    session = FakeSession()
    for row, column in ((3, 3), (0, 3), (3, 0)):
        session.say(row, column, kind=2, score=0.5, width=0.1, height=0.1)
    assert [actor.box_px for actor in detect(session)] == [actor.box_px for actor in detect(session)]
    assert [actor.id for actor in detect(session)] == ["front/0", "front/1", "front/2"]


def test_a_view_of_another_size_is_brought_to_it():
    session = FakeSession()
    detector = detector_of(session)
    detector.detect(np.full((10, 20, 3), 51, np.uint8), FrameReference("left", 5, "sha256:a", 20, 10))
    assert session.taken[-1].shape == (1, 3, 64, 64)
    assert session.taken[-1].max() == pytest.approx(0.2)


def test_numbers_that_are_not_finite_are_no_actors_but_an_error():
    session = FakeSession()
    detector = detector_of(session)
    session.output = np.full((1, 85, 4, 4), np.nan, np.float32)
    with pytest.raises(BackendError, match="not finite"):
        detector.detect(np.zeros((64, 64, 3), np.uint8), FrameReference("front", 5, "", 8, 8))


def test_a_camera_that_the_profile_does_not_have_is_refused():
    with pytest.raises(ParameterError, match="detector_cameras 'rear' is not known; expected one of: front, left"):
        detector_of(FakeSession(), detector_cameras=("rear",))


def test_a_file_of_another_form_is_refused_before_the_first_tick():
    with pytest.raises(TensorSpecError, match="of form 'yolox'"):
        ActorDetector(FakeSession(), DetectorParams(detector_form="yolox"), ("front",))
    session = FakeSession()
    session.output_specs = session.output_specs * 2
    with pytest.raises(TensorSpecError, match="1 inputs and 2 outputs; expected one of each"):
        detector_of(session)


def test_it_looks_at_every_camera_or_at_those_that_are_named():
    assert detector_of(FakeSession()).cameras == ("front", "left")
    assert detector_of(FakeSession(), detector_cameras=("left",)).cameras == ("left",)


def test_an_observation_gets_its_actors_in_place_of_its_views():
    session = FakeSession()
    session.say(1, 1, kind=2, score=0.5)
    frames = tuple(FrameReference(name, stamp, "sha256:a", 64, 64) for name in ("front", "left") for stamp in (1, 2))
    views = {name: np.zeros((64, 64, 3), np.uint8) for name in ("front", "left")}
    observation = Observation(2, 0, None, frames, views=views)
    found = detector_of(session).add_actors(observation)
    assert found.views == {}
    assert [(actor.camera, actor.id) for actor in found.actors] == [("front", "front/0"), ("left", "left/0")]
    assert count_by_label(found.actors) == {"car": 2}


def test_traffic_is_counted_by_kind_the_most_frequent_first():
    actors = [DetectedActor(label, 0.5, "front", (0.0, 0.0, 1.0, 1.0)) for label in ("bus", "car", "car", "animal")]
    assert list(count_by_label(actors).items()) == [("car", 2), ("animal", 1), ("bus", 1)]


def test_every_kind_is_one_that_the_message_names():
    cars = {"car", "motorcycle", "bus", "train", "truck"}
    assert set(ROAD_KINDS.values()) == cars | {"person", "bicycle", "traffic_light", "stop_sign", "animal"}

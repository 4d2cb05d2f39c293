"""A backend is chosen by name, and there is no fall-back."""

import pytest

from alpamayo_ros.errors import BackendError, BackendUnavailableError
from alpamayo_ros.inference.registry import BACKEND_IDS, open_session
from alpamayo_ros.params.profile import StageSpec

STAGE = StageSpec("kinematic_motion")


def test_the_reference_backend_opens() -> None:
    assert open_session("reference", STAGE).output_specs[0].name == "motion"


@pytest.mark.parametrize("backend", sorted(set(BACKEND_IDS) - {"reference"}))
def test_a_backend_that_is_not_built_is_refused_instead_of_replaced(backend: str) -> None:
    with pytest.raises(BackendUnavailableError, match=f"backend '{backend}' is not part of this version"):
        open_session(backend, STAGE)


def test_an_unknown_backend_lists_the_known_ones() -> None:
    with pytest.raises(BackendError, match="backend 'trt' is not known; expected one of: nim, ort_cpu"):
        open_session("trt", STAGE)

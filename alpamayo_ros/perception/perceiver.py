"""The perceive stage: a vision encoder turns the pictures of an observation into tensors."""

from dataclasses import replace

from alpamayo_ros.errors import ProfileError, TensorSpecError
from alpamayo_ros.inference.backend import Session, TensorSpec, derive_seed, require_finite, require_specs
from alpamayo_ros.inference.worker.model_worker import worker_state
from alpamayo_ros.params.profile import Profile, stage_options
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.worker_state import WorkerState

STAGE = "perceive"
IMAGES = "images"


class Perceiver:
    """From an observation with pictures to one with the tensors that reasoning takes."""

    def __init__(self, profile: Profile, session: Session) -> None:
        """Bind a loaded encoder.

        Raises:
            ProfileError: The profile has no cameras, or gives the stage another method or options.
            TensorSpecError: The encoder takes something else than the profile's pictures.
        """
        if not profile.cameras:
            raise ProfileError(f"profile {profile.name} has a perceive stage but no cameras; expected pictures for it")
        if profile.stages[STAGE].method != "direct":
            raise ProfileError(
                f"profile {profile.name}: stages/perceive/method is {profile.stages[STAGE].method!r}; expected 'direct'"
            )
        stage_options(profile, STAGE, {})
        shape = (len(profile.cameras), profile.frames_per_camera, profile.image_height, profile.image_width, 3)
        require_specs(session.input_specs, (TensorSpec(IMAGES, shape, "uint8"),), "input of the vision encoder")
        self._base_seed = profile.base_seed
        self._session = session

    def perceive(self, observation: Observation) -> Observation:
        """Run the stage for one tick; the result carries tensors in place of the pictures.

        Raises:
            TensorSpecError: The observation has no pictures.
            BackendError: The engine failed, or gave something that is not finite.
        """
        if observation.images is None:
            raise TensorSpecError("observation has no pictures; expected those of the profile's cameras")
        seed = derive_seed(self._base_seed, observation.t0_ns, STAGE, 0)
        outputs = self._session.infer({IMAGES: observation.images}, seed)
        require_finite(outputs, "perceive")
        for tensor in outputs.values():
            tensor.flags.writeable = False
        return replace(observation, images=None, tensors=outputs)

    def worker_state(self) -> WorkerState | None:
        """Return how the engine's own process is, None if it runs in this one."""
        return worker_state(self._session)

    def close(self) -> None:
        """Release the engine."""
        self._session.close()

"""Run the perceive stage of a profile away from the thread that takes messages."""

from collections.abc import Callable

from alpamayo_ros.pipeline.stages import Perceiving
from alpamayo_ros.ros.worker import StageWorker
from alpamayo_ros.structs.observation import Observation
from alpamayo_ros.structs.worker_state import WorkerState


class PerceiveStage:
    """Turns observations into what reasoning takes and gives them on, in the thread of the stages."""

    def __init__(
        self,
        perceiver: Perceiving,
        worker: StageWorker,
        in_work: Callable[[Observation], bool],
        give: Callable[[Observation], None],
        fail: Callable[[Observation, Exception], None],
    ) -> None:
        """Bind a loaded stage.

        Args:
            perceiver: Detector and stage; without both every observation is given on as it is, in the caller's thread.
            worker: Runs the stages of this process.
            in_work: Whether an observation is still waited for; one that was given up gets no second outcome.
            give: Takes what reasoning takes.
            fail: Takes an observation that could not be turned or given on, and why.
        """
        self._perceiver = perceiver
        self._worker = worker
        self._in_work = in_work
        self._give = give
        self._fail = fail

    def run(self, observation: Observation) -> None:
        """Perceive one observation; a stage that is busy takes it afterwards."""
        if self._perceiver.absent:
            self._give(observation)
        else:
            self._worker.submit(lambda: self._perceive(observation))

    def drain(self, timeout_s: float) -> bool:
        """Wait until every observation was given on; False if one is not within the time."""
        return self._perceiver.absent or self._worker.flush(timeout_s)

    def worker_state(self) -> WorkerState | None:
        """Return how the stage's own process is, None if there is none."""
        return self._perceiver.worker_state()

    def close(self) -> None:
        """Release the engines."""
        self._perceiver.close()

    def _perceive(self, observation: Observation) -> None:
        if not self._in_work(observation):
            return
        try:
            perceived = self._perceiver.perceive(observation)
            if self._in_work(observation):
                self._give(perceived)
        except Exception as error:  # noqa: BLE001 - every tick gets its status, whatever its stage raised
            if self._in_work(observation):
                self._fail(observation, error)

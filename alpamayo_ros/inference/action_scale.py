"""Between actions in physical units and what an action expert computes with."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class ActionScale:
    """How a model normalises acceleration in m/s^2 and curvature in 1/m.

    Most driving is nearly straight and few turns are sharp: on one linear scale a curvature that keeps a lane is lost
    in the noise that a turn allows. With a knee, curvature is bent by asinh(curvature / knee) before it is normalised:
    linear well below the knee, logarithmic far above it.

    Attributes:
        mean: Of acceleration, and of curvature after it was bent.
        std: Their standard deviations.
        curvature_knee: In 1/m; None leaves curvature as it is.
    """

    mean: tuple[float, float]
    std: tuple[float, float]
    curvature_knee: float | None = None

    def normalised(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """Return normalised actions (..., 2) of physical ones."""
        found = np.array(actions, dtype=np.float64)
        if self.curvature_knee is not None:
            found[..., 1] = np.arcsinh(found[..., 1] / self.curvature_knee)
        found -= np.array(self.mean)
        found /= np.array(self.std)
        return found

    def physical(self, actions: NDArray[Any]) -> NDArray[np.float64]:
        """Return physical actions (..., 2) of normalised ones; what no float holds becomes infinite."""
        with np.errstate(over="ignore", invalid="ignore"):
            found = np.array(actions, dtype=np.float64)
            found *= np.array(self.std)
            found += np.array(self.mean)
            if self.curvature_knee is not None:
                found[..., 1] = self.curvature_knee * np.sinh(found[..., 1])
        return found

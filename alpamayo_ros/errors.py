"""Name every error by who is at fault.

::

    AlpamayoError                        1    internal
    ├── ConfigurationError             100    what the user asked for cannot be done
    │   ├── ParameterError             101    a parameter is unknown, of the wrong type or out of range
    │   ├── ProfileError               102    a profile is unknown or not well formed
    │   ├── TopicError                 103    a topic is missing, ambiguous or of another type
    │   ├── CalibrationError           104    a calibration is missing, not well formed or for other cameras
    │   └── OutputError                105    an output exists already or cannot be written
    ├── ArtifactError                  200    a model, engine or document is not what its digest says
    │   └── DigestMismatchError        201
    ├── BackendError                   300    a backend could not do its work
    │   ├── BackendUnavailableError    301    its library or device is absent
    │   └── TensorSpecError            302    a tensor has another name, shape or type than declared
    ├── BagError                       400    a bag cannot be trusted
    │   ├── BagNotFoundError           401    the path is missing or is not a bag
    │   ├── BagCorruptError            402    truncated, damaged or without an index
    │   └── BagWriteError              403    disk full or I/O error while writing
    ├── EnvelopeError                  500    an envelope document is not well formed
    └── ReplayError                    600    a replay cannot be judged
        ├── NotComparableError         601    it was made from something else than the baseline
        ├── InconclusiveError          602    it shows too little to judge
        └── GraphError                 603    a node of the graph was silent, ended, or lost a message

The numbers are the ``ERROR_*`` constants of ``msg/TickStatus.msg``; a test holds both equal.
"""

from typing import ClassVar


class AlpamayoError(Exception):
    """Base of every error that this package raises on purpose."""

    error_code: ClassVar[int] = 1
    exit_code: ClassVar[int] = 70
    """What a program ends with that meets the error; the numbers are those of the command line."""


class ConfigurationError(AlpamayoError):
    """What was asked for cannot be done as asked."""

    error_code = 100
    exit_code = 2


class ParameterError(ConfigurationError):
    """A parameter is unknown, of the wrong type or out of range."""

    error_code = 101


class ProfileError(ConfigurationError):
    """A profile is unknown or not well formed."""

    error_code = 102


class TopicError(ConfigurationError):
    """A topic is missing, ambiguous or of another type."""

    error_code = 103


class CalibrationError(ConfigurationError):
    """A calibration is missing, not well formed or for other cameras."""

    error_code = 104


class OutputError(ConfigurationError):
    """An output exists already or cannot be written."""

    error_code = 105


class ArtifactError(AlpamayoError):
    """A model, engine or document is not what was expected."""

    error_code = 200
    exit_code = 4


class DigestMismatchError(ArtifactError):
    """The digest of an artifact differs from the one that names it."""

    error_code = 201


class BackendError(AlpamayoError):
    """A backend could not do its work."""

    error_code = 300
    exit_code = 2


class BackendUnavailableError(BackendError):
    """The library or device of a backend is absent."""

    error_code = 301


class TensorSpecError(BackendError):
    """A tensor has another name, shape or type than its specification."""

    error_code = 302


class BagError(AlpamayoError):
    """A bag cannot be trusted."""

    error_code = 400
    exit_code = 4


class BagNotFoundError(BagError):
    """The path is missing or is not a bag."""

    error_code = 401
    exit_code = 2


class BagCorruptError(BagError):
    """A bag is truncated, damaged or without an index."""

    error_code = 402


class BagWriteError(BagError):
    """The disk is full or refused a write."""

    error_code = 403
    exit_code = 74


class EnvelopeError(AlpamayoError):
    """An envelope document is not well formed."""

    error_code = 500
    exit_code = 2


class ReplayError(AlpamayoError):
    """A replay cannot be judged."""

    error_code = 600
    exit_code = 4


class NotComparableError(ReplayError):
    """A replay was made from something else than the baseline."""

    error_code = 601


class InconclusiveError(ReplayError):
    """A replay shows too little to judge."""

    error_code = 602
    exit_code = 3


class GraphError(ReplayError):
    """A node of the graph was silent, ended, or lost a message."""

    error_code = 603


def expected_one_of(thing: str, value: object, allowed: "list[str] | tuple[str, ...]") -> str:
    """Word an error about a value outside a closed list.

    Args:
        thing: What the value is, e.g. ``profile``.
        value: The refused value.
        allowed: Every value that would have been accepted.
    """
    return f"{thing} {value!r} is not known; expected one of: {', '.join(sorted(allowed))}"

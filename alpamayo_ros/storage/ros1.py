"""Make a bag of ROS 2 from one of ROS 1, by the converter of rosbags."""

import io
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from rosbags.convert import ConverterError, convert
from rosbags.typesys import Stores, get_typestore

from alpamayo_ros.errors import BagCorruptError, BagNotFoundError, BagWriteError

_MAGIC = b"#ROSBAG V2.0"


def is_ros1(path: Path) -> bool:
    """Say whether a path is a bag of ROS 1, by its first bytes; one that is cut may still have them."""
    try:
        with path.open("rb") as file:
            return file.read(len(_MAGIC)) == _MAGIC
    except OSError:
        return False


@contextmanager
def converted_ros1(path: Path, *, scratch: Path | None = None) -> Iterator[Path]:
    """Give a bag folder of ROS 2 with the messages of a bag of ROS 1; it is deleted when the block ends.

    Types that both have get ROS 2's definitions (the header loses ``seq``), others keep their own; latched topics
    become transient local ones.

    Args:
        path: The ``.bag`` file.
        scratch: Where the folder is made, by default the system's temporary folder; it takes as much as the bag.

    Raises:
        BagNotFoundError: It is missing or no bag of ROS 1.
        BagCorruptError: It is damaged, has no index, or a message is not what its definition says.
        BagWriteError: The scratch folder has no room or refuses a write.
    """
    if not is_ros1(path):
        raise BagNotFoundError(
            f"{path} is not a bag of ROS 1, although it may be named like one; expected a file that begins with "
            f"{_MAGIC.decode()!r}"
        )
    with tempfile.TemporaryDirectory(prefix=".alpamayo_ros1_", dir=scratch, ignore_cleanup_errors=True) as folder:
        target = Path(folder) / path.stem
        try:
            # The converter talks about types that it copies; what was copied shows in the bag.
            with redirect_stdout(io.StringIO()):
                convert(
                    srcs=[path],
                    dst=target,
                    dst_storage="mcap",
                    dst_version=9,
                    compress=None,
                    compress_mode="file",
                    default_typestore=None,
                    # A store of its own: the converter adds the types of the bag to it.
                    typestore=get_typestore(Stores.ROS2_KILTED),
                    exclude_topics=[],
                    include_topics=[],
                    exclude_msgtypes=[],
                    include_msgtypes=[],
                )
        except (ConverterError, AssertionError) as error:
            if isinstance(error.__cause__, OSError):
                raise BagWriteError(
                    f"bag {path} cannot be converted in {folder} ({error.__cause__.strerror}); "
                    "expected room there for a second copy: set TMPDIR to a folder on a larger disk"
                ) from error
            raise BagCorruptError(
                f"bag {path} cannot be converted to ROS 2 ({error}); expected a complete bag of ROS 1: "
                "run 'rosbag reindex' or 'rosbag fix' of ROS 1 on it first"
            ) from error
        if not target.is_dir():
            raise BagCorruptError(f"bag {path} has no topics; expected at least one to convert")
        yield target

"""Coverage-guided fuzzing of everything that reads bags.

``.venv/bin/python test/fuzz/bag_target.py CORPUS_FOLDER [libFuzzer options]``; the corpus begins with bags of any kind,
see ``bag_seeds.py``. The first byte of an input says what the rest of it is. An input fails when anything but an error
of this package comes out, when it takes too long, or when it takes too much memory.
"""

import contextlib
import itertools
import shutil
import sys
import tempfile
from pathlib import Path

import atheris

with atheris.instrument_imports(include=["alpamayo_ros.storage", "mcap"]):
    from alpamayo_ros.errors import AlpamayoError
    from alpamayo_ros.storage.digest import ContentDigest
    from alpamayo_ros.storage.identity import read_identity
    from alpamayo_ros.storage.reader import open_bag
    from alpamayo_ros.storage.recovery.recover import recover_bag
    from alpamayo_ros.storage.verification.verify import verify_bag

sys.path.insert(0, str(Path(__file__).parent))
from bag_seeds import place, write_seeds

MAX_MESSAGES = 2000
SCRATCH = Path(tempfile.mkdtemp(prefix="alpamayo_fuzz_", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))


def read_everything(path: Path) -> None:
    """Ask a bag for all that it has."""
    with open_bag(path) as reader:
        digest = ContentDigest(reader.topics)
        for message in itertools.islice(reader.messages(), MAX_MESSAGES):
            digest.update(message)
        for _ in reader.metadata_records():
            pass
        for _ in reader.attachments():
            pass
        if reader.start_ns is not None:
            for _ in itertools.islice(reader.messages(start_ns=reader.start_ns + 1, end_ns=reader.end_ns), 10):
                pass


def run_one(data: bytes) -> None:
    """Read, identify, verify and recover one input; what is recovered has to be sound."""
    folder = SCRATCH / "input"
    folder.mkdir()
    try:
        path = place(folder, data)
        with contextlib.suppress(AlpamayoError):
            read_everything(path)
        with contextlib.suppress(AlpamayoError):
            read_identity(path)
        with contextlib.suppress(AlpamayoError):
            verify_bag(path)
        recovered = SCRATCH / "recovered"
        with contextlib.suppress(AlpamayoError):
            recover_bag(path, recovered)
        if recovered.exists():
            read_everything(recovered)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        shutil.rmtree(SCRATCH / "recovered", ignore_errors=True)


def main() -> None:
    """Give libFuzzer its seeds and start it; it ends the process itself."""
    folders = [argument for argument in sys.argv[1:] if not argument.startswith("-")]
    corpus = Path(folders[0]) if folders else SCRATCH / "corpus"
    write_seeds(corpus)
    arguments = [sys.argv[0], *(folders or [str(corpus)]), *(a for a in sys.argv[1:] if a.startswith("-"))]
    atheris.Setup(arguments, run_one)
    try:
        atheris.Fuzz()
    finally:
        shutil.rmtree(SCRATCH, ignore_errors=True)


if __name__ == "__main__":
    main()

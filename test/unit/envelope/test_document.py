"""An envelope's id is the digest of its canonical document."""

from pathlib import Path

import pytest

from alpamayo_ros.envelope.document import Envelope, load_envelope
from alpamayo_ros.errors import EnvelopeError
from alpamayo_ros.lineage.canonical import document_id

TEXT = "name: pilot\nversion: '1'\ntrajectory_limits: {max_speed_mps: 15.0}\n"


def write(folder: Path, text: str) -> Path:
    path = folder / "envelope.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_document_the_id_is_none() -> None:
    assert load_envelope(None) == Envelope()
    assert load_envelope(None).envelope_id == "none"


def test_the_id_does_not_depend_on_layout_or_comments(tmp_path: Path) -> None:
    document = {"name": "pilot", "version": "1", "trajectory_limits": {"max_speed_mps": 15.0}}
    assert load_envelope(write(tmp_path, TEXT)).envelope_id == document_id(document)
    other = '# a comment\nversion: "1"\ntrajectory_limits:\n  max_speed_mps: 15.0\nname: pilot\n'
    assert load_envelope(write(tmp_path, other)).envelope_id == document_id(document)


@pytest.mark.parametrize(
    "text", [TEXT.replace("15.0", "-1"), TEXT.replace("15.0", ".nan"), TEXT + "speed: 3\n", "name: x\n", "[]", ""]
)
def test_what_is_not_an_envelope_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(EnvelopeError, match="envelope"):
        load_envelope(write(tmp_path, text))

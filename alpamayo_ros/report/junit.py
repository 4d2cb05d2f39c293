"""The verdict of a replay as JUnit XML, which CI systems show and count.

The file fails exactly where the command would: a regression gives failures and no errors; a replay that shows too
little or cannot be compared gives errors and no failures, because CI systems pass over what is merely skipped.
"""

import re
import xml.etree.ElementTree as ET

from alpamayo_ros.report.words import VERDICT_SENTENCES, allowance, counted, measure, ordered_ticks
from alpamayo_ros.structs.verdict import FieldDifference, FieldSummary, ReplayResult, Verdict

_NOT_IN_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
"""What XML 1.0 cannot hold, not even escaped."""

_NOT_JUDGED = {Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE}


def render_junit(result: ReplayResult, *, suite_name: str) -> str:
    """Render one test suite with a case for each thing that was judged.

    Args:
        result: What was judged.
        suite_name: Name of the suite, e.g. the bag and profile.

    Returns:
        An XML 1.0 document in ASCII, with a line feed at its end.
    """
    suite = ET.Element("testsuite", name=_text(suite_name))
    _add_properties(suite, result)
    seconds = result.timings.get("total", sum(result.timings.values()))
    _judge_enough(_add_case(suite, suite_name, "enough answered ticks", seconds), result)
    _judge_comparable(_add_case(suite, suite_name, "comparable with the baseline"), result)
    _judge_same(_add_case(suite, suite_name, "same as the baseline"), result)
    for row in result.comparison.fields if result.comparison is not None else ():
        _judge_field(_add_case(suite, f"{suite_name}.{row.interface}", row.field), row, result.verdict)
    root = ET.Element("testsuites")
    root.append(suite)
    for element in (root, suite):
        element.set("tests", str(len(suite.findall("testcase"))))
        element.set("failures", str(len(suite.findall("testcase/failure"))))
        element.set("errors", str(len(suite.findall("testcase/error"))))
        element.set("skipped", str(len(suite.findall("testcase/skipped"))))
        element.set("time", f"{seconds:.3f}")
    ET.indent(root)
    return f'<?xml version="1.0" encoding="us-ascii"?>\n{ET.tostring(root, encoding="us-ascii").decode()}\n'


def _text(value: str) -> str:
    return _NOT_IN_XML.sub("\N{REPLACEMENT CHARACTER}", value)


def _add_properties(suite: ET.Element, result: ReplayResult) -> None:
    values = {
        "verdict": result.verdict.value,
        "bag": result.bag_path,
        "profile": result.profile,
        "ticks_requested": result.ticks_requested,
        "content_digest": result.content_digest,
        "input_order_digest": result.input_order_digest,
        "output_digest": result.output_digest,
        "lineage_id": result.lineage.lineage_id,
        "envelope_id": result.lineage.envelope_id,
    }
    if result.baseline is not None:
        values |= {
            "baseline": result.baseline.path,
            "baseline.lineage_id": result.baseline.lineage_id,
            "baseline.output_digest": result.baseline.output_digest,
        }
    values |= {f"ticks.{name}": str(count) for name, count in ordered_ticks(result.ticks).items()}
    values |= {f"lineage.{component.kind}": component.digest for component in result.lineage.components}
    properties = ET.SubElement(suite, "properties")
    for name, value in values.items():
        ET.SubElement(properties, "property", name=_text(name), value=_text(value))


def _add_case(suite: ET.Element, classname: str, name: str, seconds: float = 0.0) -> ET.Element:
    return ET.SubElement(suite, "testcase", classname=_text(classname), name=_text(name), time=f"{seconds:.3f}")


def _add_outcome(case: ET.Element, kind: str, message: str, type_: str = "", body: str = "") -> None:
    outcome = ET.SubElement(case, kind, message=_text(message))
    if type_:
        outcome.set("type", type_)
    outcome.text = _text(body) or None


def _judge_enough(case: ET.Element, result: ReplayResult) -> None:
    if result.verdict is Verdict.INCONCLUSIVE:
        _add_outcome(case, "error", _message(result), "inconclusive", "\n".join(result.reasons))
    elif result.too_little:
        # A difference that was found is the stronger finding, and so is another input; their own cases fail.
        _add_outcome(case, "skipped", "; ".join(result.too_little))


def _judge_comparable(case: ET.Element, result: ReplayResult) -> None:
    if result.verdict is Verdict.NOT_COMPARABLE:
        _add_outcome(case, "error", _message(result), "not_comparable", "\n".join(result.reasons))
    elif result.comparison is None:
        _add_outcome(case, "skipped", _why_not_compared(result))


def _judge_same(case: ET.Element, result: ReplayResult) -> None:
    comparison = result.comparison
    if result.verdict is Verdict.REGRESSION:
        first = comparison.first_difference if comparison is not None else None
        lines = [*result.reasons, *([f"first difference: {_words(first)}"] if first is not None else [])]
        _add_outcome(case, "failure", _message(result), "regression", "\n".join(lines))
    elif comparison is None:
        _add_outcome(case, "skipped", _why_not_compared(result))
    elif result.verdict in _NOT_JUDGED or not comparison.completed:
        _add_outcome(case, "skipped", f"not judged: the verdict is {result.verdict.value}")


def _judge_field(case: ET.Element, row: FieldSummary, verdict: Verdict) -> None:
    if not row.compared:
        _add_outcome(case, "skipped", "this field is not compared")
        return
    if not row.differing:
        return
    message = f"differs at {row.differing} of {counted(row.compared, 'tick')}"
    if row.worst is not None:
        message += f"; worst {measure(row.worst, row.unit)}"
    if row.tolerance is not None:
        message += f", allowed: {allowance(row.tolerance, row.unit)}"
    if verdict is Verdict.REGRESSION:
        _add_outcome(case, "failure", message, "regression")
    else:
        _add_outcome(case, "skipped", f"{message}; the verdict is {verdict.value}")


def _message(result: ReplayResult) -> str:
    return result.reasons[0] if result.reasons else VERDICT_SENTENCES[result.verdict]


def _why_not_compared(result: ReplayResult) -> str:
    if result.verdict is Verdict.NOT_COMPARED:
        return VERDICT_SENTENCES[Verdict.NOT_COMPARED]
    return f"nothing was compared: the verdict is {result.verdict.value}"


def _words(difference: FieldDifference) -> str:
    text = (
        f"t0 {difference.t0_ns} ns, {difference.interface}.{difference.field}: "
        f"baseline {difference.baseline}, now {difference.candidate}"
    )
    if difference.magnitude is not None:
        text += f", difference {measure(difference.magnitude, difference.unit)}"
    if difference.tolerance is not None:
        text += f", allowed: {allowance(difference.tolerance, difference.unit)}"
    return text

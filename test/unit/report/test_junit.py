"""The verdict as JUnit XML."""

import xml.etree.ElementTree as ET
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alpamayo_ros.report.junit import render_junit
from alpamayo_ros.structs.verdict import Verdict


def suite_of(result, name="demo.kinematic"):
    root = ET.fromstring(render_junit(result, suite_name=name))
    (suite,) = root.findall("testsuite")
    assert root.tag == "testsuites"
    for element in (root, suite):
        assert int(element.get("tests")) == len(suite.findall("testcase"))
        assert int(element.get("failures")) == len(suite.findall("testcase/failure"))
        assert int(element.get("errors")) == len(suite.findall("testcase/error"))
        assert int(element.get("skipped")) == len(suite.findall("testcase/skipped"))
    return suite


def outcomes(suite):
    """Outcome of each case by its name."""
    return {case.get("name"): next((child.tag for child in case), "passed") for case in suite.findall("testcase")}


@pytest.mark.parametrize("verdict", list(Verdict))
def test_the_file_fails_exactly_where_the_command_does(judged, verdict):
    suite = suite_of(judged(verdict))
    assert (int(suite.get("failures")) > 0) == (verdict is Verdict.REGRESSION)
    assert (int(suite.get("errors")) > 0) == (verdict in {Verdict.INCONCLUSIVE, Verdict.NOT_COMPARABLE})


def test_a_regression_names_the_field_and_the_first_difference(judged):
    suite = suite_of(judged(Verdict.REGRESSION))
    assert outcomes(suite) == {
        "enough answered ticks": "passed", "comparable with the baseline": "passed", "same as the baseline": "failure",
        "outcome": "passed", "text": "skipped", "x": "passed", "y": "failure",
    }  # fmt: skip
    failure = suite.find("testcase[@name='same as the baseline']/failure")
    assert failure.get("message") == "3 ticks differ"
    assert "t0 1700000000200000000 ns, trajectory_set.y[3]: baseline 0.001, now 0.051" in failure.text
    field = suite.find("testcase[@name='y']")
    assert field.get("classname") == "demo.kinematic.trajectory_set"
    assert field.find("failure").get("message") == "differs at 3 of 20 ticks; worst 0.05 m, allowed: 0.01 m"


def test_too_little_to_judge_is_an_error_and_not_merely_skipped(judged):
    suite = suite_of(judged(Verdict.INCONCLUSIVE))
    error = suite.find("testcase[@name='enough answered ticks']/error")
    assert error.get("type") == "inconclusive"
    assert error.get("message") == "because it is inconclusive"


def test_a_regression_that_shows_too_little_does_not_pass_as_enough(judged):
    result = replace(judged(Verdict.REGRESSION), too_little=("4 ticks were answered",))
    skipped = suite_of(result).find("testcase[@name='enough answered ticks']/skipped")
    assert skipped.get("message") == "4 ticks were answered"


def test_a_comparison_that_cannot_be_judged_reports_its_fields_as_skipped(judged):
    regression = judged(Verdict.REGRESSION)
    suite = suite_of(replace(regression, verdict=Verdict.NOT_COMPARABLE, reasons=("the output differs from itself",)))
    assert outcomes(suite)["comparable with the baseline"] == "error"
    assert outcomes(suite)["same as the baseline"] == "skipped"
    assert outcomes(suite)["y"] == "skipped"


def test_without_a_baseline_nothing_passes_as_compared(judged):
    found = outcomes(suite_of(judged(Verdict.NOT_COMPARED)))
    assert found == {
        "enough answered ticks": "passed", "comparable with the baseline": "skipped", "same as the baseline": "skipped",
    }  # fmt: skip


def test_properties_hold_ids_digests_and_counts(judged):
    result = judged(Verdict.PASS)
    suite = suite_of(result)
    properties = {item.get("name"): item.get("value") for item in suite.findall("properties/property")}
    assert properties["content_digest"] == result.content_digest
    assert properties["input_order_digest"] == result.input_order_digest
    assert properties["output_digest"] == result.output_digest
    assert properties["lineage_id"] == result.lineage.lineage_id
    assert properties["envelope_id"] == "none"
    assert properties["verdict"] == "pass"
    assert properties["ticks.ANSWERED"] == "20"
    assert properties["lineage.runtime"] == "none"
    assert suite.get("time") == "0.750"


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(text=st.text(st.characters(), max_size=40))
def test_any_text_gives_xml_that_can_be_parsed(judged, text):
    result = judged(Verdict.REGRESSION)
    difference = replace(result.comparison.first_difference, field=text, baseline=text, candidate=text, unit=text)
    comparison = replace(
        result.comparison,
        first_difference=difference,
        fields=tuple(replace(row, interface=text, field=text, unit=text) for row in result.comparison.fields),
    )
    result = replace(result, reasons=(text,), bag_path=text, profile=text, ticks={text: 1}, comparison=comparison)
    suite = suite_of(result, name=text)
    assert suite.find("testcase[3]/failure") is not None


def test_characters_that_xml_cannot_hold_are_replaced_and_others_kept(result):
    suite = suite_of(replace(result, bag_path="a\x00b\x0bc\ud800d\ufffee<&>\"'ü左😀"))
    value = suite.find("properties/property[@name='bag']").get("value")
    assert value == "a�b�c�d�e<&>\"'ü左😀"

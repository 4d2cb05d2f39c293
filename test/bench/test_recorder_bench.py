"""Measure the recorder: processor time and loss, with the events executor and with the wait set. Judges nothing.

1,600 messages a second on 51 topics, as of a vehicle without its cameras: 1 topic at 400 Hz, 10 at 60 Hz, 40 at 15 Hz.
"""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from alpamayo_ros.ros.domain import local_environment, private_domain
from alpamayo_ros.storage.reader import open_bag

pytest.importorskip("rclpy", reason="rclpy is not installed")

pytestmark = [pytest.mark.bench, pytest.mark.ros, pytest.mark.timeout(180)]

DURATION_S = 20.0
RATES_HZ = [400.0] + [60.0] * 10 + [15.0] * 40

_RECORD = """
import sys
from rclpy.executors import SingleThreadedExecutor
from alpamayo_ros.nodes.recorder_node import main
from alpamayo_ros.ros import process
if sys.argv[1] == "wait set":
    process.make_executor = lambda context=None: SingleThreadedExecutor(context=context)
sys.exit(main())
"""

_PUBLISH = """
import heapq, json, sys, time
import rclpy
from rclpy.node import Node
from std_msgs.msg import String

rates, duration = json.loads(sys.argv[1]), float(sys.argv[2])
rclpy.init()
node = Node("vehicle")
publishers = [node.create_publisher(String, f"/bench/topic_{index}", 100) for index in range(len(rates))]
while any(publisher.get_subscription_count() == 0 for publisher in publishers):
    time.sleep(0.05)
print("matched", flush=True)
sys.stdin.readline()
message, begin = String(data="x" * 200), time.monotonic()
due, sent = [(0.0, index) for index in range(len(rates))], 0
while due[0][0] < duration:
    at, index = due[0]
    time.sleep(max(0.0, begin + at - time.monotonic()))
    publishers[index].publish(message)
    sent += 1
    heapq.heapreplace(due, (at + 1 / rates[index], index))
print(sent, flush=True)
sys.stdin.readline()
"""


def processor_s(pid: int) -> float:
    """Return the processor time that a process has taken, in s."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def record(executor: str, folder: Path) -> tuple[float, int, int]:
    """Return the cores that the recorder took, the messages sent and the messages recorded."""
    parameters = ["default_topics:=false", "regex:=^/bench/", f"output_folder:={folder}", "discovery_period_ms:=250"]
    arguments = [word for parameter in parameters for word in ("-p", parameter)]
    with private_domain() as domain:
        environment = local_environment(domain, os.environ)
        recorder = subprocess.Popen(
            [sys.executable, "-c", _RECORD, executor, "--ros-args", *arguments],
            env=environment,
            cwd=folder.parent,  # the checkout would hide the installed package
            stderr=subprocess.DEVNULL,
        )
        vehicle = subprocess.Popen(
            [sys.executable, "-c", _PUBLISH, json.dumps(RATES_HZ), str(DURATION_S)],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert vehicle.stdin is not None
            assert vehicle.stdout is not None
            assert vehicle.stdout.readline() == "matched\n"
            before_s, begin = processor_s(recorder.pid), time.monotonic()
            print("go", file=vehicle.stdin, flush=True)
            sent = int(vehicle.stdout.readline())
            cores = (processor_s(recorder.pid) - before_s) / (time.monotonic() - begin)
            recorder.send_signal(signal.SIGINT)
            assert recorder.wait(60) == 0
        finally:
            for process in (recorder, vehicle):
                process.kill()
                process.wait()
            vehicle.communicate()
    (bag,) = folder.iterdir()
    with open_bag(bag) as reader:
        return cores, sent, sum(info.message_count for name, info in reader.topics.items() if "bench" in name)


def test_cores_and_loss_at_1600_messages_a_second(tmp_path: Path) -> None:
    results = {}
    for executor in ("events", "wait set"):
        cores, sent, recorded = record(executor, tmp_path / executor.replace(" ", "_"))
        results[executor] = cores
        print(
            f"\n{executor}: {sent / DURATION_S:.0f} messages/s on {len(RATES_HZ)} topics, {cores:.2f} cores, "
            f"{sent - recorded} of {sent} lost"
        )
    print(f"the wait set takes {results['wait set'] / results['events']:.1f} times the processor time")

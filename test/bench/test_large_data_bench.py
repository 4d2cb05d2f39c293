"""What config/fastdds/large_data.xml buys: raw 1080p pictures from one process to another, with and without it."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from alpamayo_ros.ros.domain import local_environment, private_domain

pytest.importorskip("rclpy", reason="rclpy is not installed")
pytestmark = [pytest.mark.bench, pytest.mark.ros]

PROFILE = Path(__file__).resolve().parents[2] / "config" / "fastdds" / "large_data.xml"
VARIABLE = "FASTDDS_DEFAULT_PROFILES_FILE"
COUNT, DEPTH = 400, 10
BYTES = 1920 * 1080 * 3

GIVER = """
import array, sys, time
import rclpy
from sensor_msgs.msg import Image
from std_msgs.msg import Empty
count, rate, depth, size = int(sys.argv[1]), float(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
rclpy.init()
node = rclpy.create_node("giver")
pictures, end = node.create_publisher(Image, "picture", depth), node.create_publisher(Empty, "end", 1)
message = Image(height=1080, width=1920, encoding="rgb8", step=5760, data=array.array("B", bytes(size)))
while not pictures.get_subscription_count() or not end.get_subscription_count():
    time.sleep(0.02)
time.sleep(0.5)
begin = time.monotonic()
for index in range(count):
    time.sleep(max(0.0, begin + index / rate - time.monotonic()))
    pictures.publish(message)
seconds, cpu = time.monotonic() - begin, time.process_time()
time.sleep(0.5)
end.publish(Empty())
time.sleep(0.5)
print(seconds, cpu, flush=True)
rclpy.shutdown()
"""

TAKER = """
import sys, time
import rclpy
from sensor_msgs.msg import Image
from std_msgs.msg import Empty
from alpamayo_ros.ros.process import make_executor
rclpy.init()
node = rclpy.create_node("taker")
count, ended = [0], []
def take(message):
    count[0] += 1
node.create_subscription(Image, "picture", take, int(sys.argv[1]))
node.create_subscription(Empty, "end", ended.append, 1)
executor = make_executor()
executor.add_node(node)
deadline = time.monotonic() + 120.0
while not ended and time.monotonic() < deadline:
    executor.spin_once(timeout_sec=0.05)
print(count[0], time.process_time(), flush=True)
executor.shutdown()
rclpy.shutdown()
"""


def start(code: str, environment: dict[str, str], *arguments: object) -> "subprocess.Popen[str]":
    command = [sys.executable, "-c", code, *map(str, arguments)]
    return subprocess.Popen(command, env=environment, stdout=subprocess.PIPE, text=True, cwd=Path(sys.prefix))


@pytest.mark.parametrize("rate_hz", [30, 80])
@pytest.mark.parametrize("who", ["nobody", "taker", "giver", "both"])
def test_pictures_that_arrive(rate_hz: int, who: str) -> None:
    with private_domain() as domain:
        plain = local_environment(domain, {name: value for name, value in os.environ.items() if name != VARIABLE})
        with_it = {**plain, VARIABLE: str(PROFILE)}
        taker = start(TAKER, with_it if who in ("taker", "both") else plain, DEPTH)
        giver = start(GIVER, with_it if who in ("giver", "both") else plain, COUNT, rate_hz, DEPTH, BYTES)
        seconds, giver_s = map(float, giver.communicate(timeout=180)[0].split())
        received, taker_s = taker.communicate(timeout=180)[0].split()
    print(
        f"\n{COUNT} pictures of {BYTES / 1e6:.1f} MB at {rate_hz} Hz ({COUNT * BYTES / seconds / 1e6:.0f} MB/s), "
        f"profile given to {who}: {COUNT - int(received)} lost, "
        f"processor {giver_s / seconds:.0%} sending, {float(taker_s) / seconds:.0%} taking"
    )

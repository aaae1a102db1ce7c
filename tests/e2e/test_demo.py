"""`make demo`: a video is encoded on the cluster, and a newcomer is told where to look."""

import re

from tests.stack import stack_at_rest
from tests.waiting import wait_until


def test_demo_encodes_and_says_where_to_look() -> None:
    with stack_at_rest() as one:
        one.start("make", "demo", timeout=120)
        try:
            wait_until(lambda: "It keeps serving" in one.log, timeout=120, what="the demo to end")
        except AssertionError as error:
            raise AssertionError(f"{error}\n{one.log}") from None
        # What ffprobe found in each encoding: codecs, and how long it plays.
        assert re.search(r"\.mp4 +h264/aac +5\.0 s", one.log)
        assert re.search(r"\.webm +vp9/opus +5\.0 s", one.log)
        assert re.search(r"Compute hours: +0\.\d+", one.log)
        assert re.search(r"Price: +\$0\.\d+", one.log)
        assert f"Dashboard:  {one.url}/jobs/" in one.log
        assert re.search(r"Sign in as: demo   password: \S+", one.log)
        assert one.health()[0] == 200

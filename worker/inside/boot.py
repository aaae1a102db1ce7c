"""Starts the runner: `python boot.py OPTIONS`, options as JSON. Jobs never see the directory that this lies in."""

import json
import sys
import traceback
from pathlib import Path

START_ERROR = ".start-error"

if __name__ == "__main__":
    sys.path[0] = str(Path(__file__).resolve().parent.parent.parent)
    try:
        from worker.runner import Options, Runner

        del sys.path[0]
        Runner(Options(**json.loads(sys.argv[1]))).serve()
    except BaseException:
        # The worker cannot see what is printed here, but it looks into home.
        Path(json.loads(sys.argv[1])["home"], START_ERROR).write_text(traceback.format_exc())
        raise

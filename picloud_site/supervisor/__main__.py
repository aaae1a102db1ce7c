"""The command line of the supervisor."""

import argparse
import sys

from common.env import BadSetting


def main() -> int:
    # Settings are read when they are imported, and a bad one is to be a sentence, not a traceback.
    from picloud_site.supervisor import home  # noqa: PLC0415
    from picloud_site.supervisor.processes import adopt_orphans  # noqa: PLC0415
    from picloud_site.supervisor.run import Supervisor  # noqa: PLC0415
    from picloud_site.supervisor.tidy import tidy_after_a_kill  # noqa: PLC0415

    parser = argparse.ArgumentParser(description="Run the whole of PiCloud on this machine.")
    parser.add_argument("--after", default="", help="a command to run once when everything serves")
    parser.add_argument("--stop", action="store_true", help="stop the supervisor of the same PICLOUD_HOME")
    parser.add_argument(
        "--host", action="store_true", help="only work for an installation elsewhere (use `manage.py worker_host`)"
    )
    options = parser.parse_args()
    try:
        if options.stop:
            return home.stop_supervisor(tidy=tidy_after_a_kill)
        with home.claimed(serves_people=not options.host):
            adopt_orphans()
            return Supervisor(after=options.after, procfile="Procfile.host" if options.host else "Procfile").run()
    except home.Occupied as refusal:
        print(refusal, file=sys.stderr)
        return 1


if __name__ == "__main__":
    try:
        sys.exit(main())
    except BadSetting as refusal:
        sys.exit(str(refusal))

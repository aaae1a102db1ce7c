#!/usr/bin/env python3
"""A bot that runs by a schedule: this registers it, runs it once by hand, and tells what is known of it.

    python examples/cron_bot.py
    python examples/cron_bot.py --schedule '0 9 * * mon-fri' --timezone Europe/Berlin
    python examples/cron_bot.py --remove

Needs only the `cloud` package here. Register it again after changing `speak`.
"""

import argparse
import random
import sys
from datetime import UTC, datetime

import cloud

LABEL = "example-bot"
SENTENCES = ("All is well.", "Nothing new.", "Still here.")


def speak() -> str:
    """What runs, in a container: it uses this file's names, and takes no arguments."""
    text = f"{datetime.now(UTC):%H:%M} {random.choice(SENTENCES)}"
    # A real bot would send it somewhere; what is printed is kept with each run.
    print(text)
    return text


def register(schedule: str, timezone: str) -> None:
    # A run that takes longer than its period is not joined by another one, and ends after four minutes.
    cloud.cron.register(speak, LABEL, schedule, _timezone=timezone, _overlap="skip", _max_runtime=4)
    jid = cloud.cron.manual_run(LABEL)
    print(f"Job {jid}, run by hand, says: {cloud.result(jid)}")
    about = cloud.cron.info(LABEL)
    print(f"{about['words']} in {about['timezone']}, next at {about['next_run']:%Y-%m-%d %H:%M} UTC")
    for name in ("label", "schedule", "registration", "creator_host", "func_name", "cost_this_month"):
        print(f"{name:<16}{about[name]}")
    print(f"How it is doing: {cloud.connection_info()['server_url']}/crons/{LABEL}/")


def main() -> None:
    parser = argparse.ArgumentParser(description="A bot that runs by a schedule.")
    parser.add_argument("--schedule", default="*/5 * * * *", help="five fields, or a name such as @daily")
    parser.add_argument("--timezone", default="UTC", help="zone in which the schedule is read")
    parser.add_argument("--remove", action="store_true", help="remove the bot with its history")
    options = parser.parse_args()
    if options.remove:
        cloud.cron.deregister(LABEL)
        print(f"{LABEL} is removed; its jobs stay.")
    else:
        register(options.schedule, options.timezone)


if __name__ == "__main__":
    try:
        main()
    except cloud.CloudException as problem:
        sys.exit(str(problem))

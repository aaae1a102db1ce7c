#!/usr/bin/env python3
"""The first five minutes with PiCloud: a call, a map, and a job that fails."""

import math

import cloud


def is_prime(number: int) -> bool:
    """Whether the number has no divisor but 1 and itself."""
    return number > 1 and all(number % divisor for divisor in range(2, math.isqrt(number) + 1))


def divide(x: float, y: float) -> float:
    """Fails for y = 0."""
    return x / y


def main() -> None:
    # One call: it runs in a container on the cluster, with this file's functions and whatever they use.
    jid = cloud.call(is_prime, 2_147_483_647, _label="quickstart")
    print(f"Job {jid}: is 2147483647 prime? {cloud.result(jid)}")

    # The same function over many inputs at once.
    jids = cloud.map(is_prime, range(100), _label="quickstart")
    primes = [number for number, prime in enumerate(cloud.result(jids)) if prime]
    print(f"Jobs {jids[0]}-{jids[-1]}: the primes below 100 are {primes}")

    # A job that fails tells why, as if it had run here.
    jid = cloud.call(divide, 1, 0, _label="quickstart")
    try:
        cloud.result(jid)
    except cloud.CloudException as failure:
        print(f"Job {jid} failed, and its exception is here: {failure.__cause__!r}")

    print(f"See them all: {cloud.connection_info()['server_url']}/jobs/?label=quickstart")


if __name__ == "__main__":
    main()

"""One leader among the clocks, by a lock in Redis that it must keep renewing."""

import secrets

import redis

from jobs.services import bus

KEY = "picloud:clock"

# Renew only what is still ours: between a look and a renewal the lock may have passed to another clock.
_RENEW = """
if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end
return redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2]) and 1 or 0
"""
_RESIGN = "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0"


class Leadership:
    """A claim to lead for `seconds` at a time. Two leaders for a moment, after Redis was emptied, do no harm:
    everything a clock does is a compare-and-set in the database."""

    def __init__(self, *, seconds: float = 5.0) -> None:
        self._token = secrets.token_hex(8)
        self._ms = int(seconds * 1000)

    def hold(self) -> bool:
        """Take or keep the lead; False when another clock has it, or Redis cannot be asked."""
        try:
            return bool(bus.connection().eval(_RENEW, 1, KEY, self._token, self._ms))
        except redis.RedisError:
            return False

    def resign(self) -> None:
        """Let another clock lead at once."""
        try:
            bus.connection().eval(_RESIGN, 1, KEY, self._token)
        except redis.RedisError:
            return

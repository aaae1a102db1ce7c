"""How many cores runs keep busy that begin at known times: on average in each slice of the time to come."""


class Occupancy:
    """Slices of `slice_seconds` each from now on, `number` of them."""

    def __init__(self, *, slice_seconds: float, number: int) -> None:
        self._length = slice_seconds
        self._busy = [0.0] * number  # core-seconds

    def add(self, at: float, *, seconds: float, cores: float) -> None:
        """A run that begins `at` seconds from now; what lies before or beyond the slices is cut off."""
        begin, end = max(at, 0.0), min(at + seconds, self._length * len(self._busy))
        while begin < end:
            number = int(begin / self._length)
            until = min(end, (number + 1) * self._length)
            self._busy[number] += (until - begin) * cores
            if until <= begin:
                return  # closer to its end than numbers can tell
            begin = until

    def cores(self) -> tuple[float, ...]:
        """Busy cores on average in each slice."""
        return tuple(seconds / self._length for seconds in self._busy)

"""When the jobs of a chunk have to end, because their call or map has a limit of cost."""

from jobs.services import cost_limit
from jobs.services.claim import Claim

NEVER = float("inf")
# Between two looks at what the rest of a map costs. Each look is one of every core that the map runs on.
SOONEST_SECONDS, LATEST_SECONDS = 1.0, 30.0


class CostWatch:
    """Knows the monotonic moment at which the limit is reached, `ends_at`; each look knows it better.

    Other cores work for the same limit, and more may begin meanwhile: so it looks again when half of the time is over.
    """

    def __init__(self, claim: Claim, *, now: float) -> None:
        self._batch_id = claim.work.batch_id
        self.ends_at = self._look_at = NEVER
        per_ms = claim.work.cores * claim.price_micros
        if claim.may_charge is not None and per_ms:
            self._expect(claim.may_charge, per_ms, now)
            # What the other cores have used of it is not known yet.
            self._look_at = min(self._look_at, now + SOONEST_SECONDS)

    def look(self, now: float) -> None:
        """Ask again what is left, if it is time to."""
        if now < self._look_at:
            return
        allowance = cost_limit.allowance_of(self._batch_id)
        if allowance is not None:
            self._expect(allowance.left, max(1, allowance.per_ms), now)

    def _expect(self, left: int, per_ms: int, now: float) -> None:
        seconds = left / per_ms / 1000
        self.ends_at = now + seconds
        self._look_at = now + min(max(seconds / 2, SOONEST_SECONDS), LATEST_SECONDS)

    def end(self) -> None:
        """End what other cores have of it, and what waits."""
        self.ends_at = self._look_at = NEVER
        cost_limit.end_batch(self._batch_id)

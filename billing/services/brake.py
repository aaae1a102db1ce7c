"""The brake: an API key that suddenly uses many times what it usually does gets its jobs held, until somebody looks."""

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Max, Q, Sum
from django.utils import timezone

from accounts.models import ApiKey, User
from billing import words
from billing.models import Brake, KeyHour, Kind, LedgerEntry
from billing.selectors.brakes import brake_for
from billing.services.books import hour_of, locked_books
from billing.services.notices import note
from common.money import MS_PER_HOUR, charge_of_dollars
from common.sql import execute_many, fetch_all
from jobs.models import Hold
from jobs.selectors.running import running_now
from jobs.services.holds import lift_hold, place_hold
from jobs.states import Reason

LEARNED = timedelta(days=14)  # what "usually" looks back on
# Hours of use that have to be known before anything is unusual.
LEAST_HOURS = 24
# After somebody let a key go on it is not braked again for so long.
PATIENCE = timedelta(days=1)


class Key(NamedTuple):
    """An API key of an account."""

    account_id: int
    api_key: int


def check_keys(now: datetime | None = None) -> None:
    """Brake what runs away, and keep the brakes that are on. For the clock."""
    moment = now or timezone.now()
    read_ledger(moment)
    if settings.RUNAWAY_FACTOR:
        least = charge_of_dollars(settings.RUNAWAY_LEAST)
        fast = {key: charge for key, charge in _this_hour(moment).items() if key.api_key and charge >= least}
        usual = _usual(fast, moment)
        for key, charge in fast.items():
            if key in usual and charge >= settings.RUNAWAY_FACTOR * usual[key]:
                _brake(key, charge=charge, usual=usual[key], now=moment)
    _keep()


def read_ledger(now: datetime) -> None:
    """Add what is new in the ledger to the hours of its keys, and forget hours that are long gone."""
    if not LedgerEntry.objects.filter(pk__gt=_read_through(), kind=Kind.COMPUTE).exists():
        return
    with locked_books():
        # Looked at again under the lock: another clock may have read it.
        execute_many(_ADD, fetch_all(_NEW, [_read_through(), Kind.COMPUTE.value]))
        # However old the last one is: without it the whole ledger would be read again, and counted twice.
        KeyHour.objects.filter(hour__lt=now - 2 * LEARNED).exclude(through=_read_through()).delete()


def _read_through() -> int:
    """The number of the last entry that was read."""
    return int(KeyHour.objects.aggregate(last=Max("through"))["last"] or 0)


# A long run is charged in the hour in which it ended. Here each counts with an hour at most: what it used in the hours
# before was seen while it ran.
_NEW = f"""
SELECT account_id, COALESCE(api_key, 0), at,
       SUM(CASE WHEN charge / NULLIF(cores * price_micros * {MS_PER_HOUR}, 0) >= runs
           THEN runs * cores * price_micros * {MS_PER_HOUR} ELSE charge END), MAX(id)
FROM billing_ledgerentry WHERE id > %s AND kind = %s GROUP BY 1, 2, 3
"""
_ADD = """
INSERT INTO billing_keyhour (account_id, api_key, hour, charge, through) VALUES (%s, %s, %s, %s, %s)
ON CONFLICT (account_id, api_key, hour) DO UPDATE
SET charge = billing_keyhour.charge + excluded.charge, through = excluded.through
"""


def _this_hour(now: datetime) -> Mapping[Key, int]:
    """What each key has used within the hour, with what runs now."""
    found: dict[Key, int] = defaultdict(int)
    for account_id, api_key, charge in KeyHour.objects.filter(hour=hour_of(now)).values_list(
        "account_id", "api_key", "charge"
    ):
        found[Key(account_id, api_key)] += charge
    for job in running_now():
        found[Key(job.account_id, job.api_key or 0)] += job.per_ms * min(job.ran_ms, MS_PER_HOUR)
    return found


def _usual(keys: Mapping[Key, int], now: datetime) -> Mapping[Key, int]:
    """The mean charge of an hour in which a key was used, of those that are known well enough."""
    if not keys:
        return {}
    hours = KeyHour.objects.filter(hour__lt=hour_of(now), hour__gte=now - LEARNED)
    mine = hours.filter(account__in={key.account_id for key in keys}, api_key__in={key.api_key for key in keys})
    sums = mine.order_by().values_list("account_id", "api_key").annotate(Sum("charge"), Count("pk"))
    return {
        Key(account_id, api_key): max(1, int(charge) // number)
        for account_id, api_key, charge, number in sums
        if number >= LEAST_HOURS
    }


def _brake(key: Key, *, charge: int, usual: int, now: datetime) -> None:
    known = Brake.objects.filter(api_key=key.api_key)
    if known.filter(Q(lifted_at__isnull=True) | Q(lifted_at__gt=now - PATIENCE)).exists():
        return
    account = User.objects.get(pk=key.account_id)
    named = ApiKey.objects.filter(pk=key.api_key, user=account).values_list("note", flat=True).first() or ""
    sentence = words.braked(key=key.api_key, note=named, now=charge, usual=usual)
    with transaction.atomic():
        Brake.objects.create(account=account, api_key=key.api_key, sentence=sentence, put_at=now)
        note(account, "brake.put", f"API key {key.api_key}", sentence, mail=True)
        for operator in User.objects.filter(is_staff=True, is_active=True).exclude(pk=account.pk):
            note(operator, "brake.put", f"API key {key.api_key} of {account}", sentence, mail=True)


def _keep() -> None:
    """Hold the jobs of braked keys, and of no others, whoever was stopped on the way to it."""
    brakes = {brake.source: brake for brake in Brake.objects.filter(lifted_at__isnull=True).select_related("account")}
    placed = {hold.source: hold for hold in Hold.objects.filter(reason=Reason.BRAKE).select_related("account")}
    for source, brake in brakes.items():
        if source not in placed:
            place_hold(**_terms(brake))
    for source, hold in placed.items():
        if source not in brakes:
            lift_hold(account=hold.account, source=source)


def _terms(brake: Brake) -> dict[str, Any]:
    return {
        "account": brake.account,
        "source": brake.source,
        "reason": Reason.BRAKE,
        "sentence": brake.sentence,
        "api_key": brake.api_key,
    }


def lift_brake(*, number: int, by: User) -> Brake:
    """Let the jobs of a braked key go on; it is not braked again within a day. Its owner may, and an operator.

    Raises NotFound for anybody else.
    """
    with transaction.atomic():
        brake = brake_for(by, number, locked=True)
        if brake.lifted_at is None:
            brake.lifted_at, brake.lifted_by = timezone.now(), by.get_username()[:150]
            brake.save(update_fields=["lifted_at", "lifted_by"])
            note(brake.account, "brake.lifted", f"API key {brake.api_key}", f"Its jobs go on, as {by} wishes.")
    lift_hold(account=brake.account, source=brake.source)
    return brake

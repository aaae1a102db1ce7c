"""Property tests on a machine that others use too: how long a case takes says nothing."""

from hypothesis import HealthCheck, settings

patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

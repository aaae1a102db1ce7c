"""Property tests on a machine that others use too: how long a case takes says nothing."""

from hypothesis import HealthCheck, settings

patient = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])

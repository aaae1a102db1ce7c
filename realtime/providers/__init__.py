"""Who starts and ends machines; settings.PROVIDER chooses."""

from functools import cache
from typing import cast

from django.conf import settings
from django.utils.module_loading import import_string

from realtime.providers.base import Launch, Machine, Offer, Provider, ProviderFailed

# By path, because only one of them is loaded: boto3 alone costs half a second and 20 MB.
KNOWN = {"local": "realtime.providers.local.LocalProvider", "ec2": "realtime.providers.ec2.Ec2Provider"}


@cache
def current_provider() -> Provider:
    """The provider of this installation."""
    return cast("Provider", import_string(KNOWN.get(settings.PROVIDER, settings.PROVIDER))())


__all__ = ["Launch", "Machine", "Offer", "Provider", "ProviderFailed", "current_provider"]

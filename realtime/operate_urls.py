"""Addresses of the operator's pages about capacity."""

from django.urls import URLPattern, path

from realtime.views import capacity

app_name = "capacity"

urlpatterns: list[URLPattern] = [
    path("", capacity.capacity_overview, name="overview"),
]

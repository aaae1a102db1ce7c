"""Addresses of the pages about reserved cores."""

from django.urls import URLPattern, path

from realtime.views import acts, pages

app_name = "realtime"

urlpatterns: list[URLPattern] = [
    path("", pages.reservation_list, name="list"),
    path("<int:number>/", pages.reservation_detail, name="detail"),
    path("<int:number>/release/", acts.reservation_release, name="release"),
    path("<int:number>/duration/", acts.reservation_duration, name="duration"),
    path("windows/new/", acts.window_new, name="window_new"),
    path("windows/<int:number>/remove/", acts.window_remove, name="window_remove"),
]

"""Addresses of the site. Each room keeps its own."""

from django.conf import settings
from django.contrib import admin
from django.urls import URLPattern, URLResolver, include, path
from django.views.generic import RedirectView

from api.health import health
from picloud_site.style import style

admin.site.site_header = admin.site.site_title = "PiCloud"
admin.site.index_title = "Operate this installation"

urlpatterns: list[URLPattern | URLResolver] = [
    path("", RedirectView.as_view(pattern_name="jobs:list")),
    path("", include("common.urls")),
    path("", include("accounts.urls")),
    path("", include("crons.urls")),
    path("", include("billing.urls")),
    path("jobs/", include("jobs.urls")),
    path("files/", include("storage.urls")),
    path("operate/capacity/", include("realtime.operate_urls")),
    path("realtime/", include("realtime.urls")),
    path("api/v1/", include("api.urls")),
    path("admin/", admin.site.urls),
    path("healthz", health, name="healthz"),
]
if settings.DEBUG:
    urlpatterns.append(path("style/", style, name="style"))

"""Addresses that belong to no room: the choice of a look, and the style page of developers."""

from django.conf import settings
from django.urls import URLPattern, path

from common import views

app_name = "common"

urlpatterns: list[URLPattern] = [path("theme/", views.theme_choose, name="theme")]
if settings.DEBUG:
    urlpatterns.append(path("style/", views.style, name="style"))

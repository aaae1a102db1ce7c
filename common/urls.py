"""Addresses that belong to no room."""

from django.urls import URLPattern, path

from common import views

app_name = "common"
urlpatterns: list[URLPattern] = [
    path("theme/", views.theme_choose, name="theme"),
    path("favicon.ico", views.favicon, name="favicon"),
]

"""Addresses of the files pages."""

from django.urls import URLPattern, path, re_path

from storage import views

app_name = "files"
urlpatterns: list[URLPattern] = [
    path("", views.file_list, name="list"),
    re_path(r"^(?P<name>(?s:[^/]+))/delete/\Z", views.file_delete, name="delete"),
    re_path(r"^(?P<name>(?s:.+))/\Z", views.file_download, name="download"),
]

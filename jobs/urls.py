"""Addresses of the jobs pages."""

from django.urls import URLPattern, path, register_converter

from jobs.views import actions, detail, panel
from jobs.views.converters import JidConverter

app_name = "jobs"
register_converter(JidConverter, "jid")

urlpatterns: list[URLPattern] = [
    path("", panel.job_list, name="list"),
    path("rows/", panel.job_rows, name="rows"),
    path("kill/", actions.bulk_kill, name="bulk_kill"),
    path("delete/", actions.bulk_delete, name="bulk_delete"),
    path("<jid:jid>/", detail.job_detail, name="detail"),
    path("<jid:jid>/log/<slug:stream>.txt", detail.log_download, name="log"),
    path("<jid:jid>/kill/", actions.job_kill, name="kill"),
    path("<jid:jid>/rerun/", actions.job_rerun, name="rerun"),
]

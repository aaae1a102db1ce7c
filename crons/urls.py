"""Addresses of the pages about crons. A label holds no slash, so nothing but labels stands below crons/."""

from django.urls import URLPattern, path

from crons.views import acts, edit, pages

app_name = "crons"

urlpatterns: list[URLPattern] = [
    path("crons/", pages.cron_list, name="list"),
    path("crons/<str:label>/", pages.cron_detail, name="detail"),
    path("crons/<str:label>/edit/", edit.cron_edit, name="edit"),
    path("crons/<str:label>/options/", edit.cron_options, name="options"),
    path("crons/<str:label>/run/", acts.cron_run, name="run"),
    path("crons/<str:label>/pause/", acts.cron_pause, name="pause"),
    path("crons/<str:label>/resume/", acts.cron_resume, name="resume"),
    path("crons/<str:label>/alerts/", acts.cron_alerts, name="alerts"),
    path("crons/<str:label>/remove/", acts.cron_remove, name="remove"),
    path("jobs/<int:jid>/schedule/", edit.job_schedule, name="from_job"),
]

"""Version 1 of the API. Waiting for results is answered by `api.live` before Django sees it."""

from django.urls import path, re_path

from api import jobs
from api.errors import unknown_address

app_name = "api"
urlpatterns = [
    path("jobs", jobs.jobs, name="jobs"),
    path("jobs/<int:jid>", jobs.job, name="job"),
    path("jobs/<int:jid>/function", jobs.job_function, name="job_function"),
    path("jobs/<int:jid>/arguments", jobs.job_arguments, name="job_arguments"),
    path("jobs/<int:jid>/logs", jobs.job_log, name="job_log"),
    path("jobs/<int:jid>/rerun", jobs.job_rerun, name="job_rerun"),
    path("info", jobs.job_info, name="info"),
    path("kill", jobs.kill_jobs, name="kill"),
    path("delete", jobs.delete_jobs, name="delete"),
    re_path(r"^(?P<rest>.*)$", unknown_address),
]

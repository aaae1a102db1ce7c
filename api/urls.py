"""Version 1 of the API. Waiting for results is answered by `api.live` before Django sees it."""

from django.urls import path, re_path

from api import account, billing, budgets, crons, estimates, files, jobs, keys, modules, openapi, realtime
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
    path("estimate", estimates.estimate, name="estimate"),
    path("crons", crons.crons, name="crons"),
    re_path(r"^crons/(?P<label>(?s:.+))/run\Z", crons.run, name="cron_run"),
    re_path(r"^crons/(?P<label>(?s:.+))/runs\Z", crons.runs, name="cron_runs"),
    re_path(r"^crons/(?P<label>(?s:.+))\Z", crons.cron, name="cron"),
    path("budgets", budgets.budgets, name="budgets"),
    path("budgets/<int:number>", budgets.budget, name="budget"),
    path("budgets/<int:number>/waive", budgets.waive, name="budget_waive"),
    path("brakes/<int:number>/lift", budgets.lift, name="brake_lift"),
    path("schedule", crons.schedule, name="schedule"),
    path("realtime", realtime.reservations, name="reservations"),
    path("realtime/quote", realtime.quote, name="quote"),
    path("realtime/windows", realtime.window_list, name="windows"),
    path("realtime/windows/<int:number>", realtime.window, name="window"),
    path("realtime/<int:number>", realtime.reservation, name="reservation"),
    path("realtime/<int:number>/release", realtime.release, name="reservation_release"),
    path("files", files.files, name="files"),
    # Any character may stand in a name here, so that a bad one is refused by a sentence that names it.
    re_path(r"^files/(?P<name>(?s:.+))/upload\Z", files.upload, name="file_upload"),
    re_path(r"^files/(?P<name>(?s:.+))/finish\Z", files.finish, name="file_finish"),
    re_path(r"^files/(?P<name>(?s:.+))\Z", files.file, name="file"),
    path("modules", modules.modules, name="modules"),
    path("modules/<str:digest>", modules.archive, name="module_archive"),
    path("keys", keys.keys, name="keys"),
    path("keys/<int:key_id>/deactivate", keys.deactivate, name="key_deactivate"),
    path("keys/<int:key_id>/activate", keys.activate, name="key_activate"),
    path("billing", billing.month, name="billing"),
    path("billing/entries", billing.entry_list, name="billing_entries"),
    path("billing/rates", billing.rate_list, name="billing_rates"),
    path("billing/statements", billing.statement_list, name="billing_statements"),
    path("billing/statements/<str:month>", billing.statement, name="billing_statement"),
    path("billing/statements/<str:month>/entries.csv", billing.statement_csv, name="billing_csv"),
    path("account", account.account, name="account"),
    path("core-types", account.core_types, name="core_types"),
    path("environments", account.environments, name="environments"),
    path("environments/<str:name>", account.environment, name="environment"),
    path("openapi.json", openapi.openapi, name="openapi"),
    re_path(r"^(?P<rest>.*)$", unknown_address),
]

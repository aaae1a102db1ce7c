from django.apps import AppConfig
from rq import serializers


class JobsConfig(AppConfig):
    name = "jobs"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        # RQ opens pickles wherever nobody names a serializer, and some pages of django-rq name none.
        serializers.PickleSerializer = serializers.JSONSerializer  # type: ignore[assignment]
        serializers.SERIALIZER_ALIASES["pickle"] = serializers.JSONSerializer

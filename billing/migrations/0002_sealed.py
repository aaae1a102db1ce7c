"""What was charged cannot be changed, whoever speaks to the database; and what files cost until an operator says."""

from datetime import UTC, datetime

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

SEALED = ("billing_ledgerentry", "billing_statement")
FROM_THE_BEGINNING = datetime(2010, 7, 19, tzinfo=UTC)
WORDS = "what was charged is never changed: add a correction"


def seal(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    sqlite = schema_editor.connection.vendor == "sqlite"
    if not sqlite:
        schema_editor.execute(
            "CREATE FUNCTION billing_sealed() RETURNS trigger LANGUAGE plpgsql AS "
            f"$$ BEGIN RAISE EXCEPTION '{WORDS}'; END $$"
        )
    for table in SEALED:
        for act in ("UPDATE", "DELETE"):
            does = f"BEGIN SELECT RAISE(ABORT, '{WORDS}'); END" if sqlite else "EXECUTE FUNCTION billing_sealed()"
            schema_editor.execute(
                f"CREATE TRIGGER {table}_no_{act.lower()} BEFORE {act} ON {table} FOR EACH ROW {does}"
            )


def unseal(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    sqlite = schema_editor.connection.vendor == "sqlite"
    for table in SEALED:
        for act in ("update", "delete"):
            schema_editor.execute(f"DROP TRIGGER {table}_no_{act}{'' if sqlite else f' ON {table}'}")
    if not sqlite:
        schema_editor.execute("DROP FUNCTION billing_sealed()")


def add_rates(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    for kind in ("storage", "transfer_in", "transfer_out"):
        apps.get_model("billing", "Rate").objects.create(kind=kind, micros=0, effective_from=FROM_THE_BEGINNING)


class Migration(migrations.Migration):
    dependencies = [("billing", "0001_initial")]
    operations = [
        migrations.RunPython(seal, unseal),
        migrations.RunPython(add_rates, migrations.RunPython.noop),
    ]

"""The five core types of the original service and what their core-hour cost.

c1 and c2 are the published prices (c2 at 2.5 units of $0.05); the others are an operator's to set. Keeping a core
ready costs 30 % of its price, as the published $0.015 of a reserved c1.
"""

from datetime import UTC, datetime
from decimal import Decimal

from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor
from django.db.migrations.state import StateApps

# code, what it is for, compute units, MB of memory per core, MB of disk, numbers of cores, $ per core-hour
CORE_TYPES = [
    ("c1", "Small and cheap: the default.", "1", 300, 15_000, [1], "0.05"),
    ("c2", "More CPU for number crunching.", "2.5", 800, 30_000, [1, 2, 4, 8], "0.125"),
    ("f2", "The fastest cores.", "5.5", 3_750, 100_000, [1, 2, 4, 8, 16], "0.22"),
    ("m1", "Much memory.", "3.25", 8_000, 140_000, [1, 2, 4, 8], "0.30"),
    ("s1", "Variable speed, for jobs that mostly wait for the network.", "2", 300, 4_000, [1], "0.04"),
]
RESERVED_SHARE = Decimal("0.3")
FROM_THE_BEGINNING = datetime(2010, 7, 19, tzinfo=UTC)


def create(apps: StateApps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    core_type_model = apps.get_model("jobs", "CoreType")
    price_model = apps.get_model("jobs", "CorePrice")
    for position, (code, description, units, memory, disk, cores, price) in enumerate(CORE_TYPES):
        core_type = core_type_model.objects.create(
            code=code,
            description=description,
            compute_units=Decimal(units),
            memory_mb=memory,
            disk_mb=disk,
            allowed_cores=cores,
            position=position,
        )
        price_model.objects.create(
            core_type=core_type,
            per_core_hour=Decimal(price),
            per_reserved_core_hour=Decimal(price) * RESERVED_SHARE,
            effective_from=FROM_THE_BEGINNING,
        )


class Migration(migrations.Migration):
    dependencies = [("jobs", "0001_initial")]
    operations = [migrations.RunPython(create, migrations.RunPython.noop)]

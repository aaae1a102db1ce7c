"""What batches have in common with others, read from their rows."""

from collections.abc import Iterable
from typing import Any

from common.sql import among, fetch_all, from_json
from realtime.keys import SHELL, Likeness, version_of

_READ = """
SELECT batch.id, batch.account_id, batch.function_id, batch.core_type_id, batch.cores, code.digest,
       COALESCE(modules.digest, ''), batch.environment_id, batch.kill_process, batch.max_runtime_ms, batch.env_vars,
       CASE WHEN function.module = %s AND function.name = %s THEN
           (SELECT blob.digest FROM jobs_argumentpack pack JOIN storage_blob blob ON blob.id = pack.blob_id
            WHERE pack.batch_id = batch.id AND pack.first_index = 0)
       END
FROM jobs_batch batch
JOIN jobs_function function ON function.id = batch.function_id
JOIN storage_blob code ON code.id = batch.function_blob_id
LEFT JOIN jobs_moduleset modules ON modules.id = batch.module_set_id
WHERE batch.id {these}
"""


def likeness_of(batch_ids: Iterable[int]) -> dict[int, Likeness]:
    """By batch; one that was deleted is left out."""
    these, parameter = among(batch_ids)
    return {row[0]: _likeness(row) for row in fetch_all(_READ.format(these=these), [*SHELL, parameter])}


def _likeness(row: tuple[Any, ...]) -> Likeness:
    _, account_id, function_id, core_type, cores, code, modules, environment_id, kill, max_ms, env_vars, command = row
    return Likeness(
        account_id=account_id,
        function_id=function_id,
        core_type=core_type,
        cores=cores,
        version=version_of(
            code=code,
            modules=modules,
            environment_id=environment_id,
            kill_process=bool(kill),
            max_runtime_ms=max_ms,
            env_vars=from_json(env_vars),
            command=command or "",
        ),
    )

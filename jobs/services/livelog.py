"""The output of running jobs, on its way from the worker to whoever watches. The kept log is in `JobLog`."""

import json
import logging

import redis

from jobs.services import bus

logger = logging.getLogger(__name__)

MAX_PIECES = 400  # of at most 64 KiB each; older ones are dropped here, not from the kept log
EXPIRE_SECONDS = 24 * 3600


def publish_output(job_id: int, *, stream: str, text: str) -> None:
    """Add a piece of output to the live tail of a job, and tell the watchers."""
    key = bus.log_channel(job_id)
    piece = json.dumps({"stream": stream, "text": text})
    try:
        pipeline = bus.connection().pipeline(transaction=False)
        pipeline.rpush(key, piece)
        pipeline.ltrim(key, -MAX_PIECES, -1)
        pipeline.expire(key, EXPIRE_SECONDS)
        pipeline.publish(key, piece)
        pipeline.execute()
    except redis.RedisError as error:
        logger.warning("live output of job row %d is incomplete: %s", job_id, error)


def read_live_log(job_id: int) -> dict[str, str]:
    """The live tail of a job's output by stream; empty when nothing was written, or Redis lost it."""
    streams: dict[str, str] = {}
    try:
        pieces = bus.connection().lrange(bus.log_channel(job_id), 0, -1)
    except redis.RedisError as error:
        logger.warning("live output of job row %d cannot be read: %s", job_id, error)
        return {}
    for raw in pieces:
        piece = json.loads(raw)
        streams[piece["stream"]] = streams.get(piece["stream"], "") + piece["text"]
    return streams


def drop_live_logs(job_ids: list[int]) -> None:
    """Forget the live tails of finished jobs, whose output is in the database now."""
    try:
        bus.connection().delete(*map(bus.log_channel, job_ids))
    except redis.RedisError as error:
        logger.warning("live output of %d finished jobs stays until it expires: %s", len(job_ids), error)

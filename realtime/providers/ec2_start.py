"""What an instance does when it starts: find out its own name, and let the unit of its image join the installation.

It holds no secret, because whoever reaches the instance's metadata could read it there; those are in the image.
"""

OPTIONS_FILE = "/run/picloud-host.env"
# A spot machine has two minutes from the notice to its end.
SPOT_DRAIN_SECONDS = 100

_START = """#!/bin/sh
# Joins PiCloud: the unit picloud-host of this image reads what is written here.
set -eu
imds=http://169.254.169.254/latest
token() {{ curl -fsS -X PUT -H 'X-aws-ec2-metadata-token-ttl-seconds: 300' "$imds/api/token"; }}
metadata() {{ curl -fsS -H "X-aws-ec2-metadata-token: $(token)" "$imds/meta-data/$1"; }}
name=$(metadata instance-id)
umask 077
cat >{file} <<END
PICLOUD_HOST_NAME=$name
PICLOUD_WORKERS={slots}
PICLOUD_CORE_TYPES={core_type}
{more}END
systemctl start picloud-host
"""
_WATCH = """# Told that it will be taken back, it takes nothing new and finishes what it can.
until metadata spot/instance-action >/dev/null 2>&1; do sleep 5; done
systemctl stop picloud-host
"""


def user_data(*, core_type: str, slots: int, is_spot: bool, file: str = OPTIONS_FILE) -> str:
    """The script that cloud-init runs at the first start."""
    more = f"PICLOUD_DRAIN_SECONDS={SPOT_DRAIN_SECONDS}\n" if is_spot else ""
    start = _START.format(core_type=core_type, slots=slots, file=file, more=more)
    return start + (_WATCH if is_spot else "")

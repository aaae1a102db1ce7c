"""Machines of EC2, against moto's server: started, described, ended, and refused in all the ways EC2 has."""

import base64
import os
import subprocess
from pathlib import Path
from typing import Any

import boto3
import pytest

from realtime.providers import ProviderFailed
from realtime.providers.ec2 import Ec2Provider
from realtime.providers.ec2_start import user_data
from tests.realtime.cloud_server import REGION, Door


def client(door: Door) -> Any:
    return boto3.client("ec2", region_name=REGION, endpoint_url=door.url)


def subnets(door: Door) -> list[str]:
    return sorted(subnet["SubnetId"] for subnet in client(door).describe_subnets()["Subnets"])


def test_machine_is_started_with_tags_user_data_and_closed_metadata(door: Door, ec2: Ec2Provider) -> None:
    launch = ec2.launch("c1", 2)
    assert (len(launch.machines), launch.problem) == (2, "")
    one = launch.machines[0]
    assert (one.core_types, one.slots, one.price_micros_per_hour, one.is_spot) == ("c1", 2, 89_300, False)
    (request,) = door.asked("RunInstances")
    assert request["InstanceType"] == ["c7i.large"]
    assert request["MetadataOptions.HttpTokens"] == ["required"]
    assert request["MetadataOptions.HttpPutResponseHopLimit"] == ["1"]
    assert request["InstanceInitiatedShutdownBehavior"] == ["terminate"]
    assert "ClientToken" in request
    script = base64.b64decode(request["UserData"][0]).decode()
    assert "PICLOUD_WORKERS=2\nPICLOUD_CORE_TYPES=c1\n" in script
    tags = client(door).describe_tags(Filters=[{"Name": "resource-id", "Values": [one.reference]}])["Tags"]
    assert {"picloud:cluster": ec2.cluster, "Name": "picloud-c1"}.items() <= {
        tag["Key"]: tag["Value"] for tag in tags
    }.items()


def test_described_are_all_of_this_installation_and_no_others(
    door: Door, ec2: Ec2Provider, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("realtime.providers.ec2.PAGE", 5)
    # moto counts requests to start some, where EC2 counts instances.
    ours = {machine.reference for _ in range(6) for machine in ec2.launch("c1", 2).machines}
    settings.CLUSTER = "another"
    Ec2Provider().launch("c1", 1)
    client(door).run_instances(ImageId=settings.EC2_IMAGE, MinCount=1, MaxCount=1)
    assert {machine.reference for machine in ec2.describe()} == ours
    assert len(door.asked("DescribeInstances")) == 2


def test_ended_machines_are_not_described_and_unknown_ones_are_no_error(door: Door, ec2: Ec2Provider) -> None:
    first, second, third = (machine.reference for machine in ec2.launch("c1", 3).machines)
    ec2.terminate([first, "i-0123456789abcdef0", second])
    assert [machine.reference for machine in ec2.describe()] == [third]
    ec2.terminate([first])
    ec2.terminate([])


def test_fewer_than_asked_for_are_answered_with_the_reason(door: Door, ec2: Ec2Provider) -> None:
    door.most_started = 2
    launch = ec2.launch("c1", 5)
    assert (len(launch.machines), launch.problem) == (2, "EC2 started fewer machines than it was asked for.")


def test_zone_without_capacity_is_left_for_the_next(door: Door, ec2: Ec2Provider, settings: Any) -> None:
    settings.EC2_SUBNETS = subnets(door)[:2]
    door.refuse("RunInstances", "InsufficientInstanceCapacity", status=500, message="No c7i.large here", times=5)
    launch = ec2.launch("c1", 1)
    assert (len(launch.machines), launch.problem) == (1, "")
    assert door.asked("RunInstances")[-1]["SubnetId"] == [settings.EC2_SUBNETS[1]]


def test_what_one_zone_gave_is_kept_when_the_next_fails(door: Door, ec2: Ec2Provider, settings: Any) -> None:
    settings.EC2_SUBNETS = subnets(door)[:2]
    door.most_started = 1

    def refuse_from_now_on() -> None:
        door.refuse("RunInstances", "VcpuLimitExceeded", message="You have asked for more vCPUs than your limit")

    # The second request is the one that fails.
    original = ec2._run

    def run(core_type: str, number: int, *, subnet: str) -> list[Any]:
        if subnet == settings.EC2_SUBNETS[1]:
            refuse_from_now_on()
        return original(core_type, number, subnet=subnet)

    ec2._run = run  # type: ignore[method-assign]
    launch = ec2.launch("c1", 3)
    assert len(launch.machines) == 1
    assert launch.problem == "EC2 refuses: You have asked for more vCPUs than your limit (VcpuLimitExceeded)."
    assert len(ec2.describe()) == 1


def test_throttled_requests_are_repeated(door: Door, ec2: Ec2Provider) -> None:
    door.refuse("RunInstances", "RequestLimitExceeded", status=503, times=2)
    assert len(ec2.launch("c1", 1).machines) == 1
    tokens = {request["ClientToken"][0] for request in door.asked("RunInstances")}
    assert (len(door.asked("RunInstances")), len(tokens)) == (3, 1)


def test_refusals_and_silence_are_sentences(door: Door, ec2: Ec2Provider, settings: Any) -> None:
    door.refuse("RunInstances", "UnauthorizedOperation", message="You are not allowed to do this.", status=403)
    assert ec2.launch("c1", 1).problem == "EC2 refuses: You are not allowed to do this (UnauthorizedOperation)."
    door.refuse("DescribeInstances", "UnauthorizedOperation", message="No", status=403)
    with pytest.raises(ProviderFailed, match=r"EC2 refuses: No \(UnauthorizedOperation\)\."):
        ec2.describe()
    door.refuse("TerminateInstances", "OperationNotPermitted", message="It is protected")
    with pytest.raises(ProviderFailed, match="It is protected"):
        ec2.terminate(["i-0123456789abcdef0"])
    settings.EC2_ENDPOINT_URL = "http://127.0.0.1:9"
    assert Ec2Provider().launch("c1", 1).problem.startswith("EC2 does not answer: Could not connect")


def test_core_type_without_a_machine_is_not_offered(ec2: Ec2Provider) -> None:
    assert ec2.offer("f2") is None
    assert ec2.launch("f2", 1).problem == "PICLOUD_EC2_MACHINES names no machine for f2."
    offer = ec2.offer("m1")
    assert offer is not None
    assert (offer.slots, offer.price_micros_per_hour) == (2, 132_300)


def test_template_groups_profile_and_spot_are_asked_for(door: Door, ec2: Ec2Provider, settings: Any) -> None:
    made = client(door).create_launch_template(
        LaunchTemplateName="hosts", LaunchTemplateData={"ImageId": settings.EC2_IMAGE}
    )
    settings.EC2_LAUNCH_TEMPLATE = f"{made['LaunchTemplate']['LaunchTemplateId']}:1"
    settings.EC2_IMAGE, settings.EC2_SPOT = "", True
    settings.EC2_INSTANCE_PROFILE, settings.EC2_SECURITY_GROUPS = "picloud-host", ["sg-1"]
    description = ec2._description("c1")
    assert description["IamInstanceProfile"] == {"Name": "picloud-host"}
    assert description["SecurityGroupIds"] == ["sg-1"]
    settings.EC2_INSTANCE_PROFILE, settings.EC2_SECURITY_GROUPS = "", []
    (machine,) = ec2.launch("c1", 1).machines
    assert machine.is_spot
    (request,) = door.asked("RunInstances")
    assert request["LaunchTemplate.Version"] == ["1"]
    assert request["InstanceMarketOptions.SpotOptions.SpotInstanceType"] == ["one-time"]


CURL = """#!/bin/sh
case "$*" in
*"-X PUT"*"ttl-seconds: 300"*"/api/token") echo secret-token ;;
*"token: secret-token"*"/meta-data/instance-id") echo i-0abc ;;
*"token: secret-token"*"/spot/instance-action") echo '{"action": "terminate"}' ;;
*) exit 22 ;;
esac
"""


@pytest.mark.parametrize("is_spot", [False, True])
def test_start_of_an_instance_names_it_and_starts_the_unit(tmp_path: Path, is_spot: bool) -> None:
    for name, script in {"curl": CURL, "systemctl": f'#!/bin/sh\necho "$@" >>{tmp_path}/calls\n'}.items():
        (tmp_path / name).write_text(script)
        (tmp_path / name).chmod(0o755)
    file = tmp_path / "host.env"
    script = user_data(core_type="c1", slots=4, is_spot=is_spot, file=str(file))
    path = f"{tmp_path}:{os.environ['PATH']}"
    subprocess.run(["sh"], input=script, text=True, check=True, env={"PATH": path}, timeout=10)
    expected = "PICLOUD_HOST_NAME=i-0abc\nPICLOUD_WORKERS=4\nPICLOUD_CORE_TYPES=c1\n"
    assert file.read_text() == expected + ("PICLOUD_DRAIN_SECONDS=100\n" if is_spot else "")
    assert file.stat().st_mode & 0o077 == 0
    calls = (tmp_path / "calls").read_text()
    assert calls == "start picloud-host\n" + ("stop picloud-host\n" if is_spot else "")

"""Machines of Amazon's EC2, or of a service that speaks its protocol."""

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.utils.crypto import salted_hmac

from realtime.providers.base import Launch, Machine, Offer, ProviderFailed
from realtime.providers.ec2_start import user_data

# Tags of each instance, by which it is known again.
CLUSTER, CORE_TYPES, SLOTS, PRICE = "picloud:cluster", "picloud:core-types", "picloud:slots", "picloud:micros-per-hour"
ALIVE = ["pending", "running", "stopping", "stopped"]
# Another zone may have what this one lacks.
NOT_HERE = {
    *("InsufficientInstanceCapacity", "InsufficientHostCapacity", "InsufficientFreeAddressesInSubnet"),
    *("Unsupported", "SpotMaxPriceTooLow"),
}
PAGE = 500  # instances in one answer
AT_ONCE = 100  # instances in one request to end them


class Ec2Provider:
    """Starts instances from an image or a launch template, with what they need to join in their user data."""

    name = "ec2"

    @cached_property
    def cluster(self) -> str:
        """What marks the machines of this installation among all of the account."""
        return settings.CLUSTER or salted_hmac("realtime.cluster", "").hexdigest()[:12]

    @cached_property
    def _client(self) -> Any:
        # Throttled or failing requests are repeated with growing pauses; a repeated start is known by its token.
        config = Config(retries={"mode": "standard", "total_max_attempts": 5}, connect_timeout=5, read_timeout=30)
        return boto3.client(
            "ec2",
            region_name=settings.EC2_REGION or None,
            endpoint_url=settings.EC2_ENDPOINT_URL or None,
            config=config,
        )

    def offer(self, core_type: str) -> Offer | None:
        if core_type not in settings.EC2_MACHINES:
            return None
        _, slots, price = settings.EC2_MACHINES[core_type]
        return Offer(core_type=core_type, slots=slots, price_micros_per_hour=price)

    def launch(self, core_type: str, number: int) -> Launch:
        if core_type not in settings.EC2_MACHINES:
            return Launch(machines=[], problem=f"PICLOUD_EC2_MACHINES names no machine for {core_type}.")
        machines: list[Machine] = []
        problem = ""
        for subnet in settings.EC2_SUBNETS or [""]:
            try:
                machines += self._run(core_type, number - len(machines), subnet=subnet)
            except (BotoCoreError, ClientError) as error:
                problem = words_of(error)
                if code_of(error) in NOT_HERE:
                    continue
                break
            if len(machines) == number:
                break
        if len(machines) < number:
            return Launch(machines=machines, problem=problem or "EC2 started fewer machines than it was asked for.")
        return Launch(machines=machines)

    def _run(self, core_type: str, number: int, *, subnet: str) -> list[Machine]:
        """Start up to so many in one place: EC2 gives as many as it has, at least one."""
        answer = self._client.run_instances(
            MinCount=1, MaxCount=number, **self._description(core_type), **({"SubnetId": subnet} if subnet else {})
        )
        return [machine_of(instance) for instance in answer["Instances"]]

    def _description(self, core_type: str) -> dict[str, Any]:
        instance_type, slots, price = settings.EC2_MACHINES[core_type]
        tags = {
            "Name": f"picloud-{core_type}",
            CLUSTER: self.cluster,
            CORE_TYPES: core_type,
            SLOTS: str(slots),
            PRICE: str(price),
        }
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        return {
            "InstanceType": instance_type,
            "UserData": user_data(core_type=core_type, slots=slots, is_spot=settings.EC2_SPOT),
            "TagSpecifications": [{"ResourceType": kind, "Tags": pairs} for kind in ("instance", "volume")],
            # The credentials of the machine are one hop away from it: out of reach for what runs in a sandbox.
            "MetadataOptions": {"HttpTokens": "required", "HttpPutResponseHopLimit": 1, "HttpEndpoint": "enabled"},
            "InstanceInitiatedShutdownBehavior": "terminate",
            **_place(),
        }

    def terminate(self, references: list[str]) -> None:
        for first in range(0, len(references), AT_ONCE):
            self._end(references[first : first + AT_ONCE])

    def _end(self, references: list[str]) -> None:
        try:
            self._client.terminate_instances(InstanceIds=references)
        except (BotoCoreError, ClientError) as error:
            if not code_of(error).startswith("InvalidInstanceID"):
                raise ProviderFailed(words_of(error)) from error
            # One unknown id spoils the whole request.
            if len(references) > 1:
                for reference in references:
                    self._end([reference])

    def describe(self) -> list[Machine]:
        filters = [
            {"Name": f"tag:{CLUSTER}", "Values": [self.cluster]},
            {"Name": "instance-state-name", "Values": ALIVE},
        ]
        try:
            return [machine_of(instance) for instance in self._instances(filters)]
        except (BotoCoreError, ClientError) as error:
            raise ProviderFailed(words_of(error)) from error

    def _instances(self, filters: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        pages = self._client.get_paginator("describe_instances")
        for page in pages.paginate(Filters=filters, PaginationConfig={"PageSize": PAGE}):
            for reservation in page["Reservations"]:
                yield from reservation["Instances"]


def _place() -> dict[str, Any]:
    """What the settings say on top of, or in place of, a launch template."""
    found: dict[str, Any] = {}
    if settings.EC2_LAUNCH_TEMPLATE:
        template, _, version = settings.EC2_LAUNCH_TEMPLATE.partition(":")
        key = "LaunchTemplateId" if template.startswith("lt-") else "LaunchTemplateName"
        found["LaunchTemplate"] = {key: template, "Version": version or "$Default"}
    if settings.EC2_IMAGE:
        found["ImageId"] = settings.EC2_IMAGE
    if settings.EC2_SECURITY_GROUPS:
        found["SecurityGroupIds"] = settings.EC2_SECURITY_GROUPS
    if settings.EC2_INSTANCE_PROFILE:
        key = "Arn" if settings.EC2_INSTANCE_PROFILE.startswith("arn:") else "Name"
        found["IamInstanceProfile"] = {key: settings.EC2_INSTANCE_PROFILE}
    if settings.EC2_SPOT:
        found["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": {"SpotInstanceType": "one-time"}}
    return found


def machine_of(instance: dict[str, Any]) -> Machine:
    """What we know of an instance that is ours, from its tags."""
    tags = {tag["Key"]: tag["Value"] for tag in instance.get("Tags", [])}
    return Machine(
        reference=instance["InstanceId"],
        name=instance["InstanceId"],
        core_types=tags.get(CORE_TYPES, ""),
        slots=int(tags.get(SLOTS, 0)),
        launched_at=instance["LaunchTime"],
        price_micros_per_hour=int(tags.get(PRICE, 0)),
        is_spot=instance.get("InstanceLifecycle") == "spot",
    )


def code_of(error: Exception) -> str:
    return str(error.response["Error"]["Code"]) if isinstance(error, ClientError) else ""


def words_of(error: Exception) -> str:
    """What EC2 said, as a sentence."""
    if isinstance(error, ClientError):
        return f"EC2 refuses: {error.response['Error']['Message'].rstrip('.')} ({code_of(error)})."
    return f"EC2 does not answer: {str(error).rstrip('.')}."

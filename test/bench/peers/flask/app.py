"""The original system's stack in front of mserv1: Flask with a grpcio call per request. Like the original, it answers with names only.

Message classes are built from a descriptor set (DESCRIPTOR_SET), because Debian has no code generator for grpcio.
"""

import os

import grpc
from flask import Flask, jsonify, request
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

files = descriptor_pb2.FileDescriptorSet()
with open(os.environ["DESCRIPTOR_SET"], "rb") as written:
    files.ParseFromString(written.read())
pool = descriptor_pool.DescriptorPool()
for file in files.file:
    pool.Add(file)
messages = message_factory.MessageFactory(pool)


def message(name):
    return messages.GetPrototype(pool.FindMessageTypeByName(f"archivos.v1.{name}"))


Request = message("ListarArchivosRequest")
Response = message("ListarArchivosResponse")
app = Flask(__name__)
stub = None


def listar():
    # Created by the first request, because a channel does not survive the fork of a worker.
    global stub
    if stub is None:
        options = [("grpc.max_receive_message_length", 64 * 1024 * 1024)]
        channel = grpc.insecure_channel(os.environ["UPSTREAM"], options)
        stub = channel.unary_unary(
            "/archivos.v1.ListadoService/ListarArchivos",
            request_serializer=Request.SerializeToString,
            response_deserializer=Response.FromString,
        )
    return stub


@app.route("/listar_archivos")
def listar_archivos():
    message = Request(ruta=request.args.get("ruta", ""), limite=int(request.args.get("limite", 0)))
    return jsonify([entry.nombre for entry in listar()(message).archivos])

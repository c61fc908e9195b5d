"""The original's stack before our mserv1: Flask, and a call of grpcio for every request. It answers with names, as the original did.

The messages are made from a descriptor (DESCRIPTOR_SET, as protoc writes it), because Debian has no code generator for grpcio.
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
    # Made by the first request: a channel does not survive the fork of a worker.
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
    asked = Request(ruta=request.args.get("ruta", ""), limite=int(request.args.get("limite", 0)))
    return jsonify([entry.nombre for entry in listar()(asked).archivos])

"""A service in the place of mserv1, written from docs/wire.md alone. It lists one folder, without subfolders.

Usage: amqp-service.py AMQP_URL FOLDER. Prints "ready", and a line for each request.
The folders named in ODD do not exist; requests for them get the replies that docs/wire.md describes as wrong or unusual.
"""

import gzip
import json
import os
import sys
from datetime import datetime, timedelta
from functools import partial
from urllib.parse import quote

import pika
import pika.exceptions

url, root = sys.argv[1:]
service = "mserv1"
exchange = "archivero.solicitudes.v1"
work = f"archivero.{service}.v1"
isolation = f"archivero.{service}.aislamiento.v1"
quarantine = f"archivero.{service}.cuarentena.v1"

OK, INVALID_ARGUMENT, NOT_FOUND, UNIMPLEMENTED = 0, 3, 5, 12

EMPTY = {"completo": True}


def odd_replies():
    """Replies by folder: headers, body and properties that replace the right ones."""
    bad_bytes = {"archivos": [{"nombre": "a", "ruta": "a", "tipo": "TIPO_ARCHIVO", "bytes": "muchos"}], "completo": True}
    return {
        "estado-en-texto": ({"grpc-status": "0"}, EMPTY, {}),
        "cabeceras-en-bytes": ({"grpc-status": b"5", "grpc-message": b"ruta-no-existe: no", "x-testigo": bytes}, "", {}),
        "campo-nuevo": ({"grpc-status": 0}, {"completo": True, "campoDelFuturo": [1]}, {}),
        "sin-tipo-de-contenido": ({"grpc-status": 0}, EMPTY, {"content_type": None}),
        "estado-desconocido": ({"grpc-status": 99, "grpc-message": "raro"}, "", {}),
        "bytes-en-letras": ({"grpc-status": 0}, bad_bytes, {}),
        "completo-en-letras": ({"grpc-status": 0}, {"completo": "no"}, {}),
        "una-lista": ({"grpc-status": 0}, [], {}),
        "sin-json": ({"grpc-status": 0}, "hola", {}),
        "sin-utf-8": ({"grpc-status": 0}, b'{"archivos":[{"nombre":"\xff"}]}', {}),
        "otro-tipo-de-contenido": ({"grpc-status": 0}, EMPTY, {"content_type": "application/x-protobuf"}),
        "gzip": ({"grpc-status": 0}, gzip.compress(json.dumps(EMPTY).encode()), {"content_encoding": "gzip"}),
        "comprimido": ({"grpc-status": 0}, EMPTY, {"content_encoding": "gzip"}),
        "otra-compresion": ({"grpc-status": 0}, EMPTY, {"content_encoding": "br"}),
        "estado-en-letras": ({"grpc-status": "bien"}, EMPTY, {}),
        "sin-estado": ({}, EMPTY, {}),
        "x-estado-desconocido": ({"x-estado": "quizas"}, "", {}),
    }


ODD = odd_replies()
# Folders that cannot be listed at the first attempt, with the status that says so.
NOT_NOW = {"ahora-no": 14, "me-paro": 1}
# Replies that cannot belong to a request: headers and properties. The right reply follows.
STRAY = {
    "sin-testigo": ({"x-testigo": None}, {}),
    "testigo-ajeno": ({"x-testigo": "otro"}, {}),
    "testigo-en-numero": ({"x-testigo": 7}, {}),
    "id-ajeno": ({}, {"correlation_id": "019a0000-0000-7000-8000-000000000000"}),
    "id-con-nulo": ({}, {"correlation_id": "a\0b"}),
    "id-sin-utf-8": ({}, {"correlation_id": b"\xff" * 255}),
    "sin-id": ({}, {"correlation_id": None}),
}


def entry(item):
    status = item.stat(follow_symlinks=False)
    kind = "TIPO_CARPETA" if item.is_dir(follow_symlinks=False) else "TIPO_ARCHIVO"
    modified = datetime(1970, 1, 1) + timedelta(milliseconds=status.st_mtime_ns // 1_000_000)
    return {
        "nombre": item.name,
        "ruta": item.name,
        "tipo": kind,
        **({"bytes": status.st_size} if kind == "TIPO_ARCHIVO" else {}),
        "modificado": modified.isoformat(timespec="milliseconds") + "Z",
    }


def run(kind, body):
    """Returns the reply's status, its message and its body."""
    if kind != "archivos.v1.ListadoService/ListarArchivos":
        return UNIMPLEMENTED, f"No method {kind}", ""
    request = json.loads(body)
    if request.get("ruta"):
        return NOT_FOUND, "ruta-no-existe: The folder «" + request["ruta"] + "» does not exist", ""
    entries = sorted((each for each in os.scandir(root) if each.name[0] != "."), key=lambda each: os.fsencode(each.name))
    return OK, "", {"archivos": [entry(each) for each in entries], "completo": True}


def send(channel, properties, headers, body, **changes):
    if not isinstance(body, (bytes, str)):
        body = json.dumps(body)
    token = properties.headers.get("x-testigo")
    if headers.get("x-testigo") is bytes:
        headers = {**headers, "x-testigo": token.encode()}
    elif "x-testigo" not in headers:
        headers = {**headers, "x-testigo": token}
    reply = {
        "content_type": "application/json",
        "delivery_mode": 2,
        "correlation_id": properties.correlation_id,
        "headers": {name: value for name, value in headers.items() if value is not None},
        **changes,
    }
    channel.basic_publish("", properties.reply_to, body, pika.BasicProperties(**reply), mandatory=True)


def take(queue, channel, method, properties, body):
    folder = json.loads(body).get("ruta", "")
    attempt = properties.headers["x-intento"]
    print(properties.type, folder, attempt, flush=True)
    if queue == quarantine:
        send(channel, properties, {"x-estado": "fallida"}, "")
    elif folder in NOT_NOW and attempt == 1:
        send(channel, properties, {"grpc-status": NOT_NOW[folder], "grpc-message": "ahora no"}, "")
    elif folder in ODD:
        headers, odd_body, changes = ODD[folder]
        send(channel, properties, headers, odd_body, **changes)
    else:
        if folder in STRAY:
            headers, changes = STRAY[folder]
            send(channel, properties, {"grpc-status": 0, **headers}, EMPTY, **changes)
        status, message, answer = run(properties.type, body)
        told = {"grpc-message": quote(message, safe=" !\"#$&'()*+,-./:;<=>?@[\\]^_`{|}~")} if message else {}
        send(channel, properties, {"grpc-status": status, **told}, answer)
    channel.basic_ack(method.delivery_tag)


def dead_letter_to(queue, limit):
    return {
        "x-queue-type": "quorum",
        "x-delivery-limit": limit,
        "x-dead-letter-exchange": "",
        "x-dead-letter-routing-key": queue,
        "x-dead-letter-strategy": "at-least-once",
        "x-overflow": "reject-publish",
    }


def serve():
    channel = pika.BlockingConnection(pika.URLParameters(url)).channel()
    channel.confirm_delivery()
    channel.exchange_declare(exchange, "direct", durable=True)
    channel.queue_declare(quarantine, durable=True, arguments={"x-queue-type": "quorum"})
    channel.queue_declare(isolation, durable=True, arguments=dead_letter_to(quarantine, 2))
    channel.queue_declare(work, durable=True, arguments=dead_letter_to(isolation, 3))
    channel.queue_bind(work, exchange, service)
    channel.basic_qos(prefetch_count=1)
    for queue in (work, isolation, quarantine):
        channel.basic_consume(queue, partial(take, queue))
    print("ready", flush=True)
    channel.start_consuming()


while True:
    try:
        serve()
    except pika.exceptions.AMQPConnectionError as error:
        # RabbitMQ closes a connection whose queue has no leader yet, because it was declared at this moment.
        print(f"connecting again: {error!r}", flush=True)

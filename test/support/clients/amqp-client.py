"""A client of mserv1 over AMQP, written from docs/wire.md alone. It sends right and wrong requests.

Usage: amqp-client.py AMQP_URL. Prints the reply to each request as JSON: its status, and what the status is about.
"""

import json
import sys
import time
from decimal import Decimal

import pika

url = sys.argv[1]
exchange, service = "archivero.solicitudes.v1", "mserv1"
list_files = "archivos.v1.ListadoService/ListarArchivos"

connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
channel.confirm_delivery()
own_queue = channel.queue_declare("", exclusive=True).method.queue


def as_bytes(**headers):
    return {name.replace("_", "-"): str(value).encode() for name, value in headers.items()}


later = int(time.time() * 1000) + 3_600_000
trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

# Each request: its body, and the properties that differ from the least that a request needs.
REQUESTS = {
    "least": ("{}", {}),
    "all": (
        '{"ruta":"","limite":10,"tipos":["TIPO_ARCHIVO"]}',
        {
            "content_type": "application/json; charset=utf-8",
            "message_id": "m",
            "timestamp": int(time.time()),
            "priority": 5,
            "app_id": "test",
            "headers": {"x-testigo": "t", "x-vence": later, "x-intento": 1, "x-request-id": "r-1", "traceparent": trace},
        },
    ),
    "headers as byte arrays": (
        "{}",
        {"headers": as_bytes(x_testigo="ñ", x_vence=later, x_intento=1, x_request_id="r-2", traceparent=trace)},
    ),
    "headers of other types": (
        "{}",
        {"headers": {"x-vence": "ayer", "x-intento": {"a": [1, None]}, "x-request-id": 7, "traceparent": True, "tracestate": Decimal("1.5")}},
    ),
    "proto names and numbers as text": ('{"ruta_bytes":null,"limite":"10","tipos":[1]}', {}),
    "message_id only": ("{}", {"correlation_id": None, "message_id": "m"}),
    "byte order mark": ("\ufeff{}", {}),
    "no folder": ('{"ruta":"no-hay"}', {}),
    "no id": ("{}", {"correlation_id": None}),
    "id not UTF-8": ("{}", {"correlation_id": b"\xff" * 255}),
    "no type": ("{}", {"type": None}),
    "unknown type": ("{}", {"type": "archivos.v1.ListadoService/Nada"}),
    "stream": ("{}", {"type": "archivos.v1.ListadoService/RecorrerArchivos"}),
    "type with a slash before it": ("{}", {"type": f"/{list_files}"}),
    "token that is no text": ("{}", {"headers": {"x-testigo": 7}}),
    "token that is too long": ("{}", {"headers": {"x-testigo": "t" * 100_000}}),
    "protobuf": (b"\x38\x0a", {"content_type": "application/x-protobuf"}),
    "compressed": ("{}", {"content_encoding": "gzip"}),
    "empty body": ("", {}),
    "no JSON": ("ruta=", {}),
    "not UTF-8": (b'{"ruta":"\xff"}', {}),
    "list": ("[]", {}),
    "null": ("null", {}),
    "text for a number": ('{"limite":"muchos"}', {}),
    "text for a boolean": ('{"recursivo":"no"}', {}),
    "number for a text": ('{"ruta":7}', {}),
    "text for a list": ('{"tipos":"TIPO_ARCHIVO"}', {}),
    "unknown enum value": ('{"tipos":["TIPO_RARO"]}', {}),
    "unknown field": ('{"rutas":"a"}', {}),
    "negative number": ('{"limite":-1}', {}),
    "deep": ("[" * 100_000, {}),
    "least again": ("{}", {}),
}

replies = []


def on_reply(_channel, _method, properties, body):
    replies.append((properties, body))


def send(body, properties):
    headers = properties.pop("headers", None)
    properties = {"type": list_files, "reply_to": own_queue, "headers": headers, **properties}
    channel.basic_publish(exchange, service, body, pika.BasicProperties(**properties), mandatory=True)


def reply_to(body, properties):
    send(body, properties)
    until = time.monotonic() + 60
    while not replies and time.monotonic() < until:
        connection.process_data_events(time_limit=1)
    return replies.pop() if replies else None


def told(name, reply):
    if reply is None:
        return None
    properties, body = reply
    headers = properties.headers or {}
    return {
        "status": headers.get("grpc-status"),
        "message": headers.get("grpc-message"),
        "same id": properties.correlation_id == name,
        "token": headers.get("x-testigo"),
        "names": [each["nombre"] for each in json.loads(body)["archivos"]] if body else None,
    }


channel.basic_consume(own_queue, on_reply, auto_ack=True)
# Nobody can be answered: the service only logs these.
send("{}", {"correlation_id": "no reply_to", "reply_to": None})
send("{}", {"correlation_id": "bad reply_to", "reply_to": b"\xff" * 255})
found = {}
for name, (body, properties) in REQUESTS.items():
    found[name] = told(name, reply_to(body, {"correlation_id": name, **properties}))

# RabbitMQ's direct reply-to: the pseudo-queue needs its consumer, without acknowledgements, on the same channel.
channel.basic_consume("amq.rabbitmq.reply-to", on_reply, auto_ack=True)
found["direct reply-to"] = told("direct", reply_to("{}", {"correlation_id": "direct", "reply_to": "amq.rabbitmq.reply-to"}))
connection.close()
print(json.dumps(found))

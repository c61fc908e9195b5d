import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { descriptors } from './descriptors.ts';
import { ProtoJsonError } from './proto-json-error.ts';

/**
 * Returns what is wrong with a value, as the path to it and a reason: `.bytes is no integer: "many"`; undefined when it is
 * right. `strict` refuses unknown names.
 */
type Check = (value: unknown, strict: boolean) => string | undefined;

/**
 * Parses JSON and checks that it is a message in proto3 JSON: https://protobuf.dev/programming-guides/json/. Throws
 * `ProtoJsonError`.
 *
 * ts-proto's decoder, which comes after it, takes any value for any field. The JSON decoder of @bufbuild/protobuf is as
 * strict, but a page of 10,000 entries would hold the event loop for 125 ms instead of 30.
 *
 * @param typeName `archivos.v1.ListarArchivosRequest`
 */
export function parseProtoJson(typeName: string, text: string, refuseUnknown: boolean): unknown {
  const message = descriptors.getMessage(typeName);
  if (message === undefined) throw new TypeError(`No message ${typeName}`);
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw new ProtoJsonError(`No JSON: ${String(cause)}`, { cause });
  }
  const problem = messageCheck(message)(json, refuseUnknown);
  if (problem !== undefined) throw new ProtoJsonError(`${message.name}${problem}`);
  return json;
}

const messageChecks = new Map<string, Check>([
  ['google.protobuf.Timestamp', (value) => (isTimestamp(value) ? undefined : isNo('time', value))],
]);

function messageCheck(message: DescMessage): Check {
  const known = messageChecks.get(message.typeName);
  if (known !== undefined) return known;
  const fields = new Map<string, Check>();
  const check: Check = (value, strict) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return isNo('object', value);
    for (const [name, content] of Object.entries(value)) {
      const field = fields.get(name);
      if (field === undefined && strict) return `.${name} is unknown`;
      // null stands for the default value.
      const problem = content === null ? undefined : field?.(content, strict);
      if (problem !== undefined) return `.${name}${problem}`;
    }
    return undefined;
  };
  // Before its fields: a message may contain its own kind.
  messageChecks.set(message.typeName, check);
  for (const field of message.fields) {
    const fieldCheck = checkOf(field);
    fields.set(field.name, fieldCheck).set(field.jsonName, fieldCheck);
  }
  return check;
}

function checkOf(field: DescField): Check {
  switch (field.fieldKind) {
    case 'message':
      return messageCheck(field.message);
    case 'enum':
      return enumCheck(field.enum);
    case 'scalar':
      return scalarChecks[field.scalar];
    case 'list':
      if (field.listKind === 'message') return listCheck(messageCheck(field.message));
      return listCheck(field.listKind === 'enum' ? enumCheck(field.enum) : scalarChecks[field.scalar]);
    case 'map':
      throw new TypeError(`${field} is a map: not used in our protos`);
  }
}

function listCheck(element: Check): Check {
  return (value, strict) => {
    if (!Array.isArray(value)) return isNo('list', value);
    for (const [index, each] of value.entries()) {
      const problem = element(each, strict);
      if (problem !== undefined) return `[${index}]${problem}`;
    }
    return undefined;
  };
}

function enumCheck({ name, values }: DescEnum): Check {
  const names = new Set(values.map((value) => value.name));
  return (value, strict) => {
    if (typeof value === 'string') return strict && !names.has(value) ? isNo(name, value) : undefined;
    return Number.isInteger(value) ? undefined : isNo(name, value);
  };
}

const scalar =
  (what: string, isRight: (value: unknown) => boolean): Check =>
  (value) =>
    isRight(value) ? undefined : isNo(what, value);

/** Numbers may be texts; 64-bit ones are, where JavaScript's numbers do not matter. */
const integer = (min: number, max: number): Check =>
  scalar('integer', (value) => {
    const number = typeof value === 'string' && /^-?\d+$/.test(value) ? Number(value) : value;
    return Number.isInteger(number) && (number as number) >= min && (number as number) <= max;
  });
const int32 = integer(-(2 ** 31), 2 ** 31 - 1);
const uint32 = integer(0, 2 ** 32 - 1);
const int64 = integer(Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER);
const uint64 = integer(0, Number.MAX_SAFE_INTEGER);
const float = scalar(
  'number',
  (value) =>
    typeof value === 'number' ||
    value === 'NaN' ||
    (typeof value === 'string' && value.trim() !== '' && !Number.isNaN(Number(value))),
);

const scalarChecks: Readonly<Record<ScalarType, Check>> = {
  [ScalarType.STRING]: scalar('text', (value) => typeof value === 'string' && value.isWellFormed()),
  [ScalarType.BOOL]: scalar('boolean', (value) => typeof value === 'boolean'),
  [ScalarType.BYTES]: scalar(
    'base64',
    (value) => typeof value === 'string' && /^[A-Za-z0-9+/_-]*={0,2}$/.test(value),
  ),
  [ScalarType.DOUBLE]: float,
  [ScalarType.FLOAT]: float,
  [ScalarType.INT32]: int32,
  [ScalarType.SINT32]: int32,
  [ScalarType.SFIXED32]: int32,
  [ScalarType.UINT32]: uint32,
  [ScalarType.FIXED32]: uint32,
  [ScalarType.INT64]: int64,
  [ScalarType.SINT64]: int64,
  [ScalarType.SFIXED64]: int64,
  [ScalarType.UINT64]: uint64,
  [ScalarType.FIXED64]: uint64,
};

/** RFC 3339. https://protobuf.dev/reference/protobuf/google.protobuf/#timestamp */
function isTimestamp(value: unknown): boolean {
  return (
    typeof value === 'string' &&
    /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:\d\d)$/.test(value) &&
    !Number.isNaN(Date.parse(value))
  );
}

const isNo = (what: string, value: unknown): string =>
  ` is no ${what}: ${JSON.stringify(value).slice(0, 40)}`;

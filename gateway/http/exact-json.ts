interface Reviving {
  readonly source?: string;
}

/** ECMAScript 2026 (https://github.com/tc39/proposal-json-parse-with-source), which TypeScript does not declare yet. */
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver: (name: string, value: unknown, context: Reviving) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * Parses JSON so that `JSON.stringify` reproduces its numbers. A number beyond 2^53 or the digits of a double keeps its
 * text. Deep nesting overflows the stack, so the depth must be checked first.
 */
export function parseExactly(text: string): unknown {
  return parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value,
  );
}

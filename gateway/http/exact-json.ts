interface Reviving {
  readonly source?: string;
}

/** ECMAScript 2026 (https://github.com/tc39/proposal-json-parse-with-source), which TypeScript does not know yet. */
const { parse, rawJSON } = JSON as unknown as {
  parse(text: string, reviver: (name: string, value: unknown, context: Reviving) => unknown): unknown;
  rawJSON(text: string): unknown;
};

/**
 * `JSON.parse`, except that `JSON.stringify` writes its numbers as they were written: those beyond 2^53, or with more digits than a
 * double has, are kept as text. It runs out of stack where a text is very deep: that is for the caller to see first.
 */
export function parseExactly(text: string): unknown {
  return parse(text, (_, value, { source }) =>
    typeof value === 'number' && source !== undefined && String(value) !== source ? rawJSON(source) : value,
  );
}

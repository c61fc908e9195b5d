import type { RenderedAnswer } from '../../http/rendered-answer.ts';
import type { Row } from '../rows.ts';

/** An answer as sent between threads, where a `Buffer` arrives as a plain Uint8Array. */
export interface AnswerBytes extends Omit<RenderedAnswer, 'body'> {
  readonly body: Uint8Array<ArrayBuffer>;
}

export function toAnswer(row: Row): AnswerBytes {
  return {
    status: Number(row['answer_status']),
    headers: JSON.parse(String(row['answer_headers'])) as Record<string, string>,
    body: row['answer_body'] as Uint8Array<ArrayBuffer>,
  };
}

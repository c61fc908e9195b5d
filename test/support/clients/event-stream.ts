import { EventSourceParserStream } from 'eventsource-parser/stream';

export interface StreamEvent {
  readonly id: string;
  readonly data: unknown;
}

/** Yields the events of a `text/event-stream` until it ends, without comments and `retry` fields. */
export async function* eventsIn(answer: Response): AsyncGenerator<StreamEvent, void> {
  const events = answer.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onError: 'terminate' }));
  for await (const { id = '', data } of events ?? []) yield { id, data: JSON.parse(data) };
}

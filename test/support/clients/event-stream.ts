import { EventSourceParserStream } from 'eventsource-parser/stream';

export interface StreamEvent {
  readonly id: string;
  readonly data: unknown;
}

/** The events of a `text/event-stream`, to its end. Comments and `retry` are left out. */
export async function* eventsIn(answer: Response): AsyncGenerator<StreamEvent, void> {
  const events = answer.body
    ?.pipeThrough(new TextDecoderStream())
    .pipeThrough(new EventSourceParserStream({ onError: 'terminate' }));
  for await (const { id = '', data } of events ?? []) yield { id, data: JSON.parse(data) };
}

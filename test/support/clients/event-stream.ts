export interface StreamEvent {
  readonly id: string;
  readonly data: unknown;
}

/** Yields the events of a `text/event-stream` until it ends, without comments and `retry` fields. */
export async function* eventsIn(answer: Response): AsyncGenerator<StreamEvent, void> {
  let text = '';
  for await (const chunk of answer.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const fields = new Map(block.split('\n').map((line) => line.split(/: (.*)/s) as [string, string]));
      const data = fields.get('data');
      if (data !== undefined) yield { id: fields.get('id') ?? '', data: JSON.parse(data) };
    }
  }
}

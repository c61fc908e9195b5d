export interface StreamEvent {
  readonly id: string;
  readonly data: unknown;
}

/** The events of a `text/event-stream`, to its end. Comments and `retry` are left out. */
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

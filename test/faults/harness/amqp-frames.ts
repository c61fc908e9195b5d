/** A frame of an AMQP 0-9-1 connection, or its protocol header, with the bytes received. */
export interface Frame {
  readonly bytes: Buffer;
  /** Name of a method frame, `basic.publish`, or its ids, `60.20`, if no fault uses it. */
  readonly method: string | undefined;
  /** Method that a content frame belongs to; for a method frame, its own. */
  readonly belongsTo: string | undefined;
}

const frameTypes = { method: 1, header: 2, body: 3 };
const headerBytes = 7;
const names: Readonly<Record<string, string>> = {
  '60.40': 'basic.publish',
  '60.50': 'basic.return',
  '60.60': 'basic.deliver',
  '60.80': 'basic.ack',
  '60.120': 'basic.nack',
};

/** Returns a function that splits one direction of a connection into frames and buffers an incomplete one. */
export function createFrameReader(): (chunk: Buffer) => Frame[] {
  let rest: Buffer = Buffer.alloc(0);
  let begun = false;
  const contentOf = new Map<number, string>();

  function frameOf(bytes: Buffer): Frame {
    const type = bytes.readUInt8(0);
    const channel = bytes.readUInt16BE(1);
    if (type === frameTypes.method) {
      const id = `${bytes.readUInt16BE(7)}.${bytes.readUInt16BE(9)}`;
      const method = names[id] ?? id;
      contentOf.set(channel, method);
      return { bytes, method, belongsTo: method };
    }
    const belongsTo =
      type === frameTypes.header || type === frameTypes.body ? contentOf.get(channel) : undefined;
    return { bytes, method: undefined, belongsTo };
  }

  return (chunk) => {
    rest = rest.length === 0 ? chunk : Buffer.concat([rest, chunk]);
    const frames: Frame[] = [];
    // The client's protocol header, `AMQP` and a version, is not a frame. A broker that refuses it replies with one too.
    if (!begun && rest.length >= 8) {
      begun = true;
      if (rest.toString('latin1', 0, 4) === 'AMQP') {
        frames.push({ bytes: rest.subarray(0, 8), method: undefined, belongsTo: undefined });
        rest = rest.subarray(8);
      }
    }
    while (begun && rest.length >= headerBytes) {
      const size = headerBytes + rest.readUInt32BE(3) + 1;
      if (rest.length < size) break;
      frames.push(frameOf(rest.subarray(0, size)));
      rest = rest.subarray(size);
    }
    return frames;
  };
}

import type { StreamEvent, StreamMessages } from '../../../contracts/realtime.js';
import { encodeFrame, type StreamBlock } from '../../../platform/http/streams/event-frame.js';

/** A message of a stream that is none of the feed. */
export function streamMessage<E extends StreamEvent>(
  event: E,
  data: StreamMessages[E],
  head: Pick<StreamBlock, 'id' | 'retryMs'> = {},
): Buffer {
  return encodeFrame({ ...head, event, data });
}

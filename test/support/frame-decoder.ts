import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventFrame, FeedMessage } from '../../src/contracts/realtime.js';
import { ROOT } from '../../tools/stack/paths.js';

export type FrameDecoder = (frame: EventFrame) => [event: string, message: FeedMessage][];

/** The decoder of frames that docs/realtime.md prints. */
export async function documentedDecoder(): Promise<FrameDecoder> {
  const page = await readFile(join(ROOT, 'docs', 'realtime.md'), 'utf8');
  const [, source = ''] = /```js\n(export function decode[\s\S]*?)```/.exec(page) ?? [];
  const module = (await import(`data:text/javascript,${encodeURIComponent(source)}`)) as { decode: FrameDecoder };
  return module.decode;
}

export type LogKind =
  | 'started'
  | 'keys'
  | 'connecting'
  | 'online'
  | 'offline'
  | 'order'
  | 'refused'
  | 'bolt'
  | 'event'
  | 'receipt'
  | 'status'
  | 'trouble'
  | 'stopped';

/** Told as it happens: a sentence for people, the facts for machines. Never holds a secret. */
export type Log = (kind: LogKind, text: string, facts?: Readonly<Record<string, unknown>>) => void;

/** What to say of something thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

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
  | 'settings'
  | 'status'
  | 'trouble'
  | 'stopped';

/** Writes one log line: a sentence for people, the facts for machines. Never holds a secret. */
export type Log = (kind: LogKind, text: string, facts?: Readonly<Record<string, unknown>>) => void;

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message || error.name : String(error);
}

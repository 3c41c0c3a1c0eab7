/**
 * Whether a session still stands. `platform/auth` asks on every request and handshake; `features/auth` answers.
 * The answer may be a few seconds old (promise P-06), never older; with `certain` it is PostgreSQL's own.
 */
export abstract class SessionGate {
  abstract isLive(sessionId: string, options?: { certain?: boolean }): Promise<boolean>;
}

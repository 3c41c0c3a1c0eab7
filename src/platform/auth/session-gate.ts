/**
 * Whether a session still stands. `platform/auth` asks on every request and handshake; `features/auth` answers.
 * The answer may be a few seconds old (promise P-06), never older.
 */
export abstract class SessionGate {
  abstract isLive(sessionId: string): Promise<boolean>;
}

import type { SessionEnd } from '../../contracts/sessions.js';

/**
 * Whether a session is valid. `platform/auth` calls it on every request and handshake; `features/auth` implements it.
 * The answer may be a few seconds old (promise P-06), never older; with `certain` it is PostgreSQL's own.
 */
export abstract class SessionVerifier {
  /** @returns null while it stands, or why it is over. */
  abstract endOf(sessionId: string, options?: { certain?: boolean }): Promise<SessionEnd | null>;
}

/** What the database says, by its own clock, of a session whose refresh token did not rotate. */
export interface RotationState {
  /** Neither revoked nor expired. */
  readonly live: boolean;
  /** Generation of the token that is valid now. */
  readonly counter: number;
  /** Whether that one replaced its predecessor within the last ten seconds. */
  readonly inGrace: boolean;
  /** Whether the predecessor was presented by the client that exchanged it a moment ago. */
  readonly sameClient: boolean;
}

/**
 * `repeat`: answer the same successor again. `reuse`: an old token came back, end the session. `invalid`: nothing to
 * refresh.
 */
export type RotationVerdict = 'repeat' | 'reuse' | 'invalid';

/**
 * This many rotations whose answers were repeated, within ten minutes, end the session: two clients take turns with it. Without
 * a known device, this many repeats do.
 */
export const MAX_REPEATS = 3;

/**
 * Why a genuine refresh token did not rotate. Two tabs, or a retry after a lost answer, present the predecessor within
 * moments, while its successor is still unused. Any older token that comes back was stolen, or a thief had used it first;
 * and so was one that another client presents, however soon.
 */
export function judgeRotation(presented: number, state: RotationState | null): RotationVerdict {
  if (!state?.live || presented >= state.counter) {
    return 'invalid';
  }
  return state.inGrace && state.sameClient && presented === state.counter - 1 ? 'repeat' : 'reuse';
}

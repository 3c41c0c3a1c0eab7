/** What the database says, by its own clock, of a session whose refresh token did not rotate. */
export interface RotationState {
  /** Neither revoked nor expired. */
  readonly live: boolean;
  /** Generation of the token that is valid now. */
  readonly counter: number;
  /** Whether that one replaced its predecessor within the last ten seconds. */
  readonly inGrace: boolean;
}

/** `repeat`: answer the same successor again. `reuse`: an old token came back, end the session. `invalid`: nothing to refresh. */
export type RotationVerdict = 'repeat' | 'reuse' | 'invalid';

/**
 * Why a genuine refresh token did not rotate. Two tabs, or a retry after a lost answer, present the predecessor within
 * moments, while its successor is still unused. Any older token that comes back was stolen, or a thief had used it first.
 */
export function judgeRotation(presented: number, state: RotationState | null): RotationVerdict {
  if (!state?.live || presented >= state.counter) {
    return 'invalid';
  }
  return state.inGrace && presented === state.counter - 1 ? 'repeat' : 'reuse';
}

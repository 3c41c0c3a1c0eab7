/** Who has seen a token in the clear: a person (`registration`, `rotation`), the maker (`factory`), or the device alone (`activation`). */
export type TokenOrigin = 'registration' | 'rotation' | 'factory' | 'activation';

/** Tokens that the owner of a device has seen: they end with the ownership. */
export const SEEN_BY_OWNERS = ['registration', 'rotation'] as const satisfies readonly TokenOrigin[];

/** A code that activates a device, once. */
export interface ActivationCode {
  readonly code: string;
  readonly expiresAt: Date;
}

/** How a token was issued: to a person (`registration`, `rotation`), to the maker (`factory`), or to who had the code (`activation`). */
export type TokenOrigin = 'registration' | 'rotation' | 'factory' | 'activation';

/** A code that activates a device, once. */
export interface ActivationCode {
  readonly code: string;
  readonly expiresAt: Date;
}

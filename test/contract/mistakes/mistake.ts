/** What can stand in a request or an answer for what every run has anew: `{device}`. */
export type Placeholder =
  'owner' | 'token' | 'expired' | 'ended' | 'evicted' | 'device' | 'hardware' | 'organization' | 'key' | 'used';

/** A mistake that people who write apps make, and the exact answer to it. */
export interface Mistake {
  /** What the app does: it ... */
  readonly does: string;
  /** Who is signed in. */
  readonly as: 'nobody' | 'owner' | 'stranger' | 'viewer' | 'admin';
  /** `POST /auth/login`, below `/api/v1`; with a leading `!` from the root. */
  readonly request: string;
  /** A text is sent as it is, anything else as JSON. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** `400 invalid_request`. */
  readonly answer: string;
  readonly detail: string;
  /** `pointer: detail` of each fault. */
  readonly errors?: readonly string[];
  /** Further members of the problem document. */
  readonly members?: Readonly<Record<string, string>>;
  /** Of the headers that say what to do: none of the others may be there. */
  readonly says?: Readonly<Record<string, string>>;
}

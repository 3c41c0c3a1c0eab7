/** From the call to the last byte of the answer, where no one waits for it. */
const ANSWER_WITHIN_MS = 10_000;
const MAX_BODY_BYTES = 65_536;

export interface ProviderAnswer {
  readonly status: number;
  readonly retryAfter: string | null;
  /** Empty where the answer is no JSON object. */
  readonly body: Readonly<Record<string, unknown>>;
}

/** No answer came. */
export class ProviderRequestError extends Error {
  constructor(readonly reason: 'timed_out' | 'connection_failed' | 'invalid_answer') {
    super(reason);
    this.name = new.target.name;
  }
}

/**
 * Calls the API of a provider that the operator has chosen; an address that a user gave is called by `OutboundClient` alone. The whole
 * call ends in a bounded time, and no redirect is followed.
 * @throws ProviderRequestError
 */
export async function postToProvider(
  url: string,
  headers: Readonly<Record<string, string>>,
  body: string | URLSearchParams,
  withinMs = ANSWER_WITHIN_MS,
): Promise<ProviderAnswer> {
  const signal = AbortSignal.timeout(withinMs);
  try {
    const response = await fetch(url, { method: 'POST', headers, body, signal, redirect: 'manual' });
    const text = await beginningOf(response);
    return { status: response.status, retryAfter: response.headers.get('retry-after'), body: objectOf(text) };
  } catch (error) {
    if (error instanceof ProviderRequestError) {
      throw error;
    }
    // What the library says may repeat the headers.
    throw new ProviderRequestError(signal.aborted ? 'timed_out' : 'connection_failed');
  }
}

/** A text that is JSON of an object; an empty one for any other. */
export function objectOf(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  } catch {
    return {};
  }
}

async function beginningOf(response: Response): Promise<string> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of (response.body ?? []) as AsyncIterable<Uint8Array>) {
    size += chunk.length;
    if (size > MAX_BODY_BYTES) {
      throw new ProviderRequestError('invalid_answer');
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString();
}

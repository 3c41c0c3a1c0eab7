export interface Answer<T = Record<string, unknown>> {
  readonly status: number;
  readonly headers: Headers;
  readonly body: T;
}

export interface RequestOptions {
  readonly token?: string;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds until the client gives up. */
  readonly patienceMs?: number;
}

/** Asks the API as a client would. The body is what was parsed, or undefined for an empty one. */
export async function request<T = Record<string, unknown>>(
  base: string,
  method: string,
  path: string,
  { token, body, headers = {}, patienceMs = 40_000 }: RequestOptions = {},
): Promise<Answer<T>> {
  // Not AbortSignal.timeout, whose timer goes on when the answer is there, and keeps what the test knows until its end.
  const abort = new AbortController();
  const patience = setTimeout(() => {
    abort.abort(new Error(`No answer within ${String(patienceMs)} ms: ${method} ${path}.`));
  }, patienceMs);
  try {
    return await answerOf<T>(
      await fetch(base + path, {
        method,
        headers: {
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
          ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: typeof body === 'string' ? body : JSON.stringify(body) }),
        signal: abort.signal,
      }),
    );
  } finally {
    clearTimeout(patience);
  }
}

async function answerOf<T>(response: Response): Promise<Answer<T>> {
  const text = await textOf(response);
  return {
    status: response.status,
    headers: response.headers,
    body: (text === '' ? undefined : isImage(response) ? text : JSON.parse(text)) as T,
  };
}

/** What was answered; nothing of an event stream, which has no end. */
export async function textOf(response: Response): Promise<string> {
  if (response.headers.get('content-type')?.startsWith('text/event-stream') !== true) {
    return response.text();
  }
  await response.body?.cancel();
  return '';
}

function isImage({ headers }: Response): boolean {
  return headers.get('content-type')?.startsWith('image/') ?? false;
}

/** The code of the problem in each of so many answers, one after another; the status of those without one. */
export async function codesOf(times: number, send: () => Promise<Answer>): Promise<unknown[]> {
  const codes: unknown[] = [];
  for (let time = 0; time < times; time += 1) {
    const { status, body } = await send();
    codes.push((body as { code?: string } | undefined)?.code ?? status);
  }
  return codes;
}

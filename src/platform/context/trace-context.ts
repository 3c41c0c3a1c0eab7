const TRACEPARENT = /^00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}$/;
const REQUEST_ID = /^[\w.:-]{1,128}$/;

/** Trace id of a W3C Trace Context `traceparent` header, or undefined when it is missing or malformed. */
export function traceIdOf(header: unknown): string | undefined {
  const id = typeof header === 'string' ? TRACEPARENT.exec(header)?.[1] : undefined;
  return id === undefined || /^0+$/.test(id) ? undefined : id;
}

/** A caller's `X-Request-Id`, if it is short and harmless in a log; anything else is replaced by ours. */
export function requestIdOf(header: unknown): string | undefined {
  return typeof header === 'string' && REQUEST_ID.test(header) ? header : undefined;
}

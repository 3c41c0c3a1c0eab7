/** What aedes says when a connection ends by itself; its other errors are of packets. */
const ENDED: ReadonlySet<string> = new Set(['connection closed', 'drain timeout', 'keep alive timeout']);

/** Of the system, or of a stream that was cut. Not of a packet that led its reader beyond the end (`ERR_OUT_OF_RANGE`). */
const NETWORK_CODE = /^(?:E(?!RR_)|ERR_STREAM_)/;

/** Whether a connection ended because of its network, and not of what was sent on it. */
export function isLineLoss(error: Error & { readonly code?: unknown }): boolean {
  return ENDED.has(error.message) || (typeof error.code === 'string' && NETWORK_CODE.test(error.code));
}

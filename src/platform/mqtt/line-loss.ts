/** What aedes says when a connection ends by itself; its other errors are of packets. */
const ENDED: ReadonlySet<string> = new Set(['connection closed', 'drain timeout', 'keep alive timeout']);

/** Whether a connection ended because of its network, and not of what was sent on it. Errors of Node.js have a code. */
export function isLineLoss(error: Error): boolean {
  return 'code' in error || ENDED.has(error.message);
}

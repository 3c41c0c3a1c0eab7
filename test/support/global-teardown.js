/**
 * A handle that a test left open is reported by Jest one second after its summary, and would keep it waiting for
 * ever. Exit codes are untouched: Jest sets its own when the process exits.
 */
export default function boundTheExit() {
  setTimeout(() => process.exit(), 10_000).unref();
}

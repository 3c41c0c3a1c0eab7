/** What `npm test` set up for the tests. Its absence is a failure: a test that cannot run must not look passed. */
export function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run the tests with \`npm test\`, which starts the services they need.`);
  }
  return value;
}

/**
 * Where the services of this Jest worker are: each worker has its own, because one open transaction holds up every
 * reader of an event log in the same cluster. Jest numbers its workers from 1 and gives a renewed one the number of the
 * one it replaces, so two that live at the same time never have the same.
 */
export function ofThisWorker(name: string): string {
  const worker = Number(process.env.JEST_WORKER_ID ?? '1');
  const sets = Number(fromEnvironment('TEST_SERVICE_SETS'));
  if (worker > sets) {
    throw new Error(`There are services for ${String(sets)} Jest workers; this is number ${String(worker)}.`);
  }
  return fromEnvironment(`${name}_${String(worker)}`);
}

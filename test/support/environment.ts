/** What `npm test` set up for the tests. Its absence is a failure: a test that cannot run must not look passed. */
export function fromEnvironment(name: string): string {
  const value = process.env[name];
  if (!value) {
    throw new Error(`${name} is not set: run the tests with \`npm test\`, which starts the services they need.`);
  }
  return value;
}

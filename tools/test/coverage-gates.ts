import { existsSync } from 'node:fs';
import { join } from 'node:path';

export interface CoverageGate {
  readonly lines: number;
  readonly branches: number;
}

const EVERYWHERE: CoverageGate = { lines: 80, branches: 80 };
const STRICT: CoverageGate = { lines: 95, branches: 95 };

/** Files and folders where a mistake opens a door. A change that moves one moves its line here. */
export const STRICTLY_COVERED: readonly string[] = [
  'src/features/auth',
  'src/features/commands',
  'src/features/sharing/domain/device-access.ts',
  'src/features/account',
  'src/features/organizations',
  'src/features/user-admin',
  'src/features/signing-keys',
  'src/platform/audit',
  'src/platform/auth',
  'src/platform/crypto',
  'src/platform/idempotency',
  'src/platform/keys',
  'src/platform/outbound',
  'src/platform/mqtt/broker-client-factory.ts',
  'src/platform/mqtt/broker-authorizer.ts',
  'src/platform/mqtt/device-acl.ts',
  'src/platform/mqtt/device-authenticator.ts',
  'src/platform/rate-limit',
];

/** Jest's thresholds, for paths below `root`. A path that is missing is an error, because its gate would be gone too. */
export function coverageGates(root: string, strict = STRICTLY_COVERED): Record<string, CoverageGate> {
  const missing = strict.filter((path) => !existsSync(join(root, path)));
  if (missing.length > 0) {
    throw new Error(
      `No such path for the coverage gate: ${missing.join(', ')}. Correct the list in tools/test/coverage-gates.ts.`,
    );
  }
  return { global: EVERYWHERE, ...Object.fromEntries(strict.map((path) => [`./${path}`, STRICT])) };
}

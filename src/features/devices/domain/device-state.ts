import type { DoorState, LockState } from '../../../contracts/devices.js';

/** What a shown state rests on. */
export const STATE_EVIDENCES = ['report', 'stale', 'uncalibrated', 'none'] as const;
export type StateEvidence = (typeof STATE_EVIDENCES)[number];

/** What is known when a state is to be shown. SQL has an expression for each: device-list-sql.ts. */
export interface StateFacts {
  /** The device said that it does not know its position. */
  readonly uncalibrated: boolean;
  /** It never reported this state. */
  readonly unreported: boolean;
  /** It has no live link. */
  readonly silent: boolean;
  /** It has started again since the report, and has not said anew what holds. */
  readonly restarted: boolean;
  /** Its bolt or its door is stuck, and the report says locked: that cannot be relied on. */
  readonly lockedButJammed: boolean;
}
export type StateFact = keyof StateFacts;

/** The first rule whose fact holds decides; the last one always does. `shown`: null is nothing, `reported` what was reported. */
export interface StateRule {
  readonly fact: StateFact | null;
  readonly evidence: StateEvidence;
  readonly shown: 'unknown' | 'not_fully_locked' | 'reported' | null;
}

/**
 * How the state to trust now follows from the last report. A door that is called locked and is not does harm, one that is
 * called unknown does not: in doubt it is unknown. The list of devices evaluates the same table in SQL.
 */
export const STATE_RULES: readonly StateRule[] = [
  { fact: 'uncalibrated', evidence: 'uncalibrated', shown: 'unknown' },
  { fact: 'unreported', evidence: 'none', shown: null },
  { fact: 'silent', evidence: 'stale', shown: 'unknown' },
  { fact: 'restarted', evidence: 'stale', shown: 'unknown' },
  { fact: 'lockedButJammed', evidence: 'report', shown: 'not_fully_locked' },
  { fact: null, evidence: 'report', shown: 'reported' },
];

/** What a device last reported, and whether it can still be heard: {@link decideStates} tells what of it holds. */
export interface ReportedStates {
  readonly lockState: LockState | null;
  readonly lockStateAt: Date | null;
  readonly doorState: DoorState | null;
  readonly doorStateAt: Date | null;
  /** False: it said that it does not know where its bolt is. */
  readonly lockCalibrated: boolean | null;
  /** When it said that its bolt is stuck. */
  readonly lockJammedAt: Date | null;
  /** When its present boot was first heard of. */
  readonly bootHeardAt: Date | null;
  readonly links: readonly unknown[];
}

/** A state as it is shown. */
export interface ShownState<S extends string> {
  /** To be trusted now; null when the device never reported one. */
  readonly value: S | 'unknown' | null;
  readonly evidence: StateEvidence;
  readonly lastReported: S | null;
  readonly reportedAt: Date | null;
}

/** The only place that decides which state of a lock and of a door is shown. */
export function decideStates(device: ReportedStates): {
  readonly lock: ShownState<LockState>;
  readonly door: ShownState<DoorState>;
} {
  const { lockState, doorState, lockJammedAt, lockCalibrated } = device;
  const isJammed = doorState === 'jammed' || lockJammedAt !== null;
  const shared = { silent: device.links.length === 0 };
  return {
    lock: decide(lockState, device.lockStateAt, {
      ...shared,
      uncalibrated: lockCalibrated === false,
      unreported: lockState === null,
      restarted: isBefore(device.lockStateAt, device.bootHeardAt),
      lockedButJammed: lockState === 'locked' && isJammed,
    }),
    door: decide(doorState, device.doorStateAt, {
      ...shared,
      uncalibrated: false,
      unreported: doorState === null,
      restarted: isBefore(device.doorStateAt, device.bootHeardAt),
      lockedButJammed: false,
    }),
  };
}

function decide<S extends LockState | DoorState>(
  reported: S | null,
  reportedAt: Date | null,
  facts: StateFacts,
): ShownState<S> {
  const rule = STATE_RULES.find(({ fact }) => fact === null || facts[fact]);
  const { evidence, shown } = rule ?? { evidence: 'stale' as const, shown: 'unknown' as const };
  const value = shown === 'reported' ? reported : (shown as S | 'unknown' | null);
  return { value, evidence, lastReported: reported, reportedAt };
}

/** A report from before the columns of times has none: it counts as older than any start. */
function isBefore(reportedAt: Date | null, bootHeardAt: Date | null): boolean {
  return bootHeardAt !== null && (reportedAt === null || reportedAt < bootHeardAt);
}

import type { KeyState, SigningAlgorithm } from './signing-key.js';

/** What a decision about a key needs to know of it. */
export interface KeyAge {
  readonly kid: string;
  readonly algorithm: SigningAlgorithm;
  readonly state: KeyState;
  /** Since it entered its state, by the database clock. */
  readonly ageMs: number;
}

export interface KeyTimes {
  /** What new keys are. */
  readonly algorithm: SigningAlgorithm;
  /** How long a key signs. */
  readonly signsForMs: number;
  /** How long a key is published before it signs. */
  readonly publishedForMs: number;
  /** How long a key verifies after it has signed for the last time. */
  readonly verifiesForMs: number;
}

/** The changes that are due. */
export interface KeyPlan {
  /** The next key takes over. */
  readonly rotate: boolean;
  /** There is no next key of the wanted algorithm: one is to be published. */
  readonly publish: boolean;
  /** Nothing needs these any more. */
  readonly retire: readonly string[];
}

/**
 * What is to be done about the keys of one purpose. A key is `next` for a while before it signs, so that every process
 * that keeps a copy of the key set knows it by then; it stays `passive` until the last thing it signed has expired.
 */
export function planKeys(keys: readonly KeyAge[], times: KeyTimes): KeyPlan {
  const active = keys.find(({ state }) => state === 'active');
  const next = nextOf(keys, times.algorithm);
  const isOver = active !== undefined && (active.ageMs >= times.signsForMs || active.algorithm !== times.algorithm);
  const rotate = isOver && next !== undefined && next.ageMs >= times.publishedForMs;
  const retire = keys.filter(
    (key) => (key.state === 'passive' && key.ageMs >= times.verifiesForMs) || (key.state === 'next' && key !== next),
  );
  return { rotate, publish: rotate || next === undefined, retire: retire.map(({ kid }) => kid) };
}

/** The key that may take over. One that the configuration no longer wants has never signed, and never will. */
export function nextOf<K extends Pick<KeyAge, 'state' | 'algorithm'>>(
  keys: readonly K[],
  algorithm: SigningAlgorithm,
): K | undefined {
  return keys.find((key) => key.state === 'next' && key.algorithm === algorithm);
}

export function isIdle({ rotate, publish, retire }: KeyPlan): boolean {
  return !rotate && !publish && retire.length === 0;
}

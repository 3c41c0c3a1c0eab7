import type { VirtualLock } from './virtual-lock.js';

/** Does what was typed; false when it makes no sense. */
export function followHand(lock: VirtualLock, typed: string): boolean {
  const [verb = '', object = ''] = typed.trim().toLowerCase().split(/\s+/);
  const deed = DEEDS.get(`${verb} ${object}`.trim()) ?? batteryDeed(verb, object);
  deed?.(lock);
  return deed !== undefined;
}

type Deed = (lock: VirtualLock) => void;

const DEEDS = new Map<string, Deed>([
  [
    'motion',
    (lock) => {
      lock.report({ type: 'motion_detected', data: { confidence: 0.9, zone: 'front' } });
    },
  ],
  [
    'door open',
    (lock) => {
      lock.moveDoor('open');
    },
  ],
  [
    'door close',
    (lock) => {
      lock.moveDoor('closed');
    },
  ],
  [
    'knob lock',
    (lock) => {
      lock.turnKnob('locked');
    },
  ],
  [
    'knob unlock',
    (lock) => {
      lock.turnKnob('unlocked');
    },
  ],
  [
    'restart',
    (lock) => {
      lock.restart().catch(() => undefined);
    },
  ],
]);

function batteryDeed(verb: string, object: string): Deed | undefined {
  const percent = /^\d{1,3}$/.test(object) ? Number(object) : Number.NaN;
  return verb === 'battery' && percent <= 100
    ? (lock) => {
        lock.drainBattery(percent);
      }
    : undefined;
}

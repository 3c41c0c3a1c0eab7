import type { VirtualLock } from './virtual-lock.js';

/** Runs a typed line; false when it is no command. */
export function runConsoleCommand(lock: VirtualLock, typed: string): boolean {
  const [verb = '', object = ''] = typed.trim().toLowerCase().split(/\s+/);
  const action = ACTIONS.get(`${verb} ${object}`.trim()) ?? batteryAction(verb, object);
  action?.(lock);
  return action !== undefined;
}

type Action = (lock: VirtualLock) => void;

const ACTIONS = new Map<string, Action>([
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

function batteryAction(verb: string, object: string): Action | undefined {
  const percent = /^\d{1,3}$/.test(object) ? Number(object) : Number.NaN;
  return verb === 'battery' && percent <= 100
    ? (lock) => {
        lock.drainBattery(percent);
      }
    : undefined;
}

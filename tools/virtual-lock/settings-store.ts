import type { SettingsMessage } from '../../src/contracts/mqtt.js';
import { decodeUtf8, isObject, parseStrictJson } from './strict-json.js';

/** What this lock can be set to, and obeys. */
const KNOWN = ['autoLockTimeoutMs', 'notificationsEnabled', 'custom'];
const [SHORTEST_MS, LONGEST_MS] = [1_000, 3_600_000];

/**
 * The settings of the lock, which outlive a start. They come again at every birth, and after a backend was restored in an
 * earlier version: what comes counts.
 */
export class SettingsStore {
  #version = 0;
  #settings: Readonly<Record<string, unknown>> = {};

  /** Milliseconds until it locks by itself after an unlock without a duration; undefined when it does not. */
  get autoLockTimeoutMs(): number | undefined {
    const value = this.#settings.autoLockTimeoutMs;
    return typeof value === 'number' ? value : undefined;
  }

  /** @returns what the lock confirms; null for what has been confirmed already, or is no message with settings */
  accept(message: Uint8Array): SettingsMessage | null {
    const read = readSettings(message);
    if (!read || read.version === this.#version) {
      return null;
    }
    this.#version = read.version;
    this.#settings = Object.fromEntries(
      Object.entries(read.settings).filter(([name, value]) => KNOWN.includes(name) && isGood(name, value)),
    );
    return { version: this.#version, settings: { ...this.#settings } };
  }
}

function isGood(name: string, value: unknown): boolean {
  return name !== 'autoLockTimeoutMs' || (typeof value === 'number' && value >= SHORTEST_MS && value <= LONGEST_MS);
}

function readSettings(message: Uint8Array): SettingsMessage | null {
  const text = decodeUtf8(message);
  const parsed = text === undefined ? undefined : parseStrictJson(text);
  const body = parsed?.ok ? parsed.value : undefined;
  if (!isObject(body) || typeof body.version !== 'number' || !isObject(body.settings)) {
    return null;
  }
  return { version: body.version, settings: body.settings };
}

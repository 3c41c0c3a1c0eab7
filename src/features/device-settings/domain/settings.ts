import {
  type DeviceSettings,
  KNOWN_SETTINGS,
  SETTING_NAMES,
  type SettingName,
  type SettingRule,
} from '../../../contracts/device-settings.js';
import type { DeviceType } from '../../../contracts/devices.js';
import { closestName } from '../../../shared/closest-name.js';
import { flatFaults } from '../../../contracts/flat-object.js';
import { sortedJson } from '../../../shared/sorted-json.js';

/** Settings as JSON has them: what a device reports may be anything. */
export type SettingValues = Readonly<Record<string, unknown>>;

/** One fault of a change. `path`: the names from the settings to the member. */
export interface SettingFault {
  readonly path: readonly string[];
  readonly detail: string;
}

/** A change that was merged, or what is wrong with it. */
export type Merged = { readonly settings: DeviceSettings } | { readonly faults: readonly SettingFault[] };

/**
 * Merges a change into settings (RFC 7396): null takes a setting away, and so it does with a member of `custom`. Only what the
 * change names is judged: what a later version of this program does not know any more stays as it is.
 */
export function mergeSettings(type: DeviceType, settings: SettingValues, change: SettingValues): Merged {
  const faults = Object.entries(change).flatMap(([name, value]) => faultsOf(type, name, value));
  if (faults.length > 0) {
    return { faults };
  }
  const merged = new Map(Object.entries(settings));
  for (const [name, value] of Object.entries(change)) {
    const next = name === 'custom' && value !== null ? mergeCustom(settings.custom, value as SettingValues) : value;
    if (next === null) {
      merged.delete(name);
    } else {
      merged.set(name, next);
    }
  }
  const custom = merged.get('custom');
  const tooMuch = custom === undefined ? [] : flatFaults(custom as object);
  return tooMuch.length > 0
    ? { faults: tooMuch.map(({ detail }) => ({ path: ['custom'], detail })) }
    : { settings: Object.fromEntries(merged) };
}

/** The desired settings that the device does not have, as far as it has said. */
export function deltaOf(desired: SettingValues, reported: SettingValues | null): SettingValues {
  return Object.fromEntries(
    Object.entries(desired).filter(
      ([name, value]) =>
        !reported || !Object.hasOwn(reported, name) || sortedJson(reported[name]) !== sortedJson(value),
    ),
  );
}

/** The settings that devices of a type have. */
export function settingsOf(type: DeviceType): SettingName[] {
  return SETTING_NAMES.filter((name) => KNOWN_SETTINGS[name].types?.includes(type) ?? true);
}

function faultsOf(type: DeviceType, name: string, value: unknown): SettingFault[] {
  const path = [name];
  const known = SETTING_NAMES.find((each) => each === name);
  if (known === undefined) {
    const meant = closestName(name, settingsOf(type));
    return [{ path, detail: `is not a setting${meant === undefined ? '' : `, did you mean \`${meant}\`?`}` }];
  }
  if (!settingsOf(type).includes(known)) {
    return [
      { path, detail: `is not a setting of a device of the type ${type}: it has ${settingsOf(type).join(', ')}` },
    ];
  }
  if (value === null) {
    return [];
  }
  const { rule } = KNOWN_SETTINGS[known];
  return rule.kind === 'custom' ? customFaults(value) : faultOf(rule, value).map((detail) => ({ path, detail }));
}

function faultOf(rule: Exclude<SettingRule, { kind: 'custom' }>, value: unknown): string[] {
  switch (rule.kind) {
    case 'number': {
      const isGood = Number.isInteger(value) && Number(value) >= rule.min && Number(value) <= rule.max;
      return isGood ? [] : [`must be a whole number between ${String(rule.min)} and ${String(rule.max)}`];
    }
    case 'choice':
      return rule.values.some((each) => each === value) ? [] : [`must be one of ${rule.values.join(', ')}`];
    case 'boolean':
      return typeof value === 'boolean' ? [] : ['must be true or false'];
  }
}

function customFaults(value: unknown): SettingFault[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return [{ path: ['custom'], detail: 'must be an object' }];
  }
  const given = Object.fromEntries(Object.entries(value).filter(([, member]) => member !== null));
  return flatFaults(given).map(({ member, detail }) => ({
    path: member === undefined ? ['custom'] : ['custom', member],
    detail,
  }));
}

function mergeCustom(before: unknown, change: SettingValues): SettingValues | null {
  const all = Object.entries({ ...(before as SettingValues | undefined), ...change });
  const kept = all.filter(([, value]) => value !== null);
  return kept.length === 0 ? null : Object.fromEntries(kept);
}

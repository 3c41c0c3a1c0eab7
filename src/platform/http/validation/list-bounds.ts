import type { Type as Class } from '@nestjs/common';
import type { FieldError } from '../../../shared/domain-error.js';
import { pointerTo, shownName } from './field-faults.js';
import { memberRules, ruleNames } from './member-rules.js';
import { nestedClass } from './nested-class.js';
import { wordsFor } from './rule-words.js';

/** A member that is a list, or an object that may have one. */
interface Holder {
  readonly name: string;
  /** Most items of the list; undefined where there is no bound. */
  readonly max: number | undefined;
  readonly nested: Class | undefined;
}

const known = new WeakMap<Class, readonly Holder[]>();

/**
 * The lists in a value that are longer than their class allows. To be asked before anything reads the value: class-transformer
 * makes an object of each item, and class-validator applies every rule to each of them, however many there are.
 */
export function tooLongLists(type: Class, value: unknown): FieldError[] {
  return listsIn(type, value, { pointer: '', path: '' });
}

function listsIn(type: Class, value: unknown, place: { pointer: string; path: string }): FieldError[] {
  if (typeof value !== 'object' || value === null) {
    return [];
  }
  return holdersOf(type).flatMap(({ name, max, nested }) => {
    const member: unknown = Object.hasOwn(value, name) ? Reflect.get(value, name) : undefined;
    const pointer = pointerTo(place.pointer, name);
    const path = [place.path, name].filter(Boolean).join('.');
    if (Array.isArray(member) && max !== undefined && member.length > max) {
      const words = wordsFor({ arrayMaxSize: '' }, memberRules(type, name), { value: member, isText: false });
      return [{ detail: shownName(path) + words, pointer }];
    }
    if (!nested) {
      return [];
    }
    return Array.isArray(member)
      ? member.flatMap((item: unknown, index) =>
          listsIn(nested, item, { pointer: pointerTo(pointer, String(index)), path: `${path}[${String(index)}]` }),
        )
      : listsIn(nested, member, { pointer, path });
  });
}

function holdersOf(type: Class): readonly Holder[] {
  const holders =
    known.get(type) ??
    ruleNames(type)
      .map((name) => ({
        name,
        max: memberRules(type, name).argument('arrayMaxSize') as number | undefined,
        nested: nestedClass(type, name),
      }))
      .filter(({ max, nested }) => max !== undefined || nested !== undefined);
  known.set(type, holders);
  return holders;
}

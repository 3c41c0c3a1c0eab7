import type { ValidationError } from 'class-validator';
import { cutText } from '../../../shared/cut-text.js';
import type { FieldError } from '../../../shared/domain-error.js';
import { memberRules } from './member-rules.js';
import { meantMember } from './often-called.decorator.js';
import { wordsFor } from './rule-words.js';

/** Letters of a name that are repeated to who sent it. */
const SHOWN_NAME = 64;
/** Unknown names of one request that are looked up. */
const MAX_GUESSES = 20;

/** How a request is read: shared by all its faults. */
interface Reading {
  /** Whether every value comes as text, as in a query: then that is not what is wrong with it. */
  readonly isText: boolean;
  guesses: number;
}

/** Where an object stands in what was sent. */
interface Place {
  readonly pointer: string;
  /** As messages name it; empty for the whole. */
  readonly path: string;
  /** As it was sent: without what its class adds. */
  readonly sent: unknown;
}

/** One fault for each member that class-validator finds something wrong with, in the order of the class. */
export function fieldFaults(errors: readonly ValidationError[], sent: unknown, { isText = false } = {}): FieldError[] {
  const reading: Reading = { isText, guesses: 0 };
  return errors.flatMap((error) => faultsAt(error, { pointer: '', path: '', sent }, reading));
}

function faultsAt(error: ValidationError, place: Place, reading: Reading): FieldError[] {
  const type = error.target?.constructor ?? Object;
  const inside: Place = {
    pointer: pointerTo(place.pointer, error.property),
    path: type === Array ? `${place.path}[${error.property}]` : [place.path, error.property].filter(Boolean).join('.'),
    sent: memberOf(place.sent, error.property),
  };
  if (!error.constraints) {
    return (error.children ?? []).flatMap((child) => faultsAt(child, inside, reading));
  }
  if (error.constraints.whitelistValidation !== undefined) {
    const isGuessed = reading.guesses++ < MAX_GUESSES;
    const meant = isGuessed ? meantMember(type, error.property, namesIn(place.sent)) : undefined;
    return [unknownMember(shownName(inside.path), inside.pointer, meant)];
  }
  const { constraints, property } = error;
  const value: unknown = error.value;
  const words =
    inside.sent === undefined
      ? ' is missing'
      : wordsFor(constraints, memberRules(type, property), { value, isText: reading.isText });
  return [{ detail: shownName(inside.path) + words, pointer: inside.pointer }];
}

/** A member that the class does not take. */
export function unknownMember(shown: string, pointer: string, meant?: string): FieldError {
  return { detail: `${shown} is not known here${meant === undefined ? '' : `, did you mean \`${meant}\`?`}`, pointer };
}

/** A member of a map, which takes any name but this. */
export function reservedMember(shown: string, pointer: string): FieldError {
  return { detail: `${shown} has a name that every object has: choose another one`, pointer };
}

/** A name as messages show it. */
export function shownName(name: string): string {
  return `\`${cutText(name, SHOWN_NAME)}\``;
}

export function pointerTo(parent: string, name: string): string {
  return `${parent}/${name.replaceAll('~', '~0').replaceAll('/', '~1')}`;
}

function memberOf(sent: unknown, name: string): unknown {
  return typeof sent === 'object' && sent !== null && Object.hasOwn(sent, name) ? Reflect.get(sent, name) : undefined;
}

function namesIn(sent: unknown): string[] {
  return typeof sent === 'object' && sent !== null ? Object.keys(sent) : [];
}

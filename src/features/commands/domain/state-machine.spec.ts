import { describe, expect, it } from '@jest/globals';
import { defineMachine, type MachineDefinition, validateMachine } from './state-machine.js';

type S = 'a' | 'b' | 'c';
const sound: MachineDefinition<S> = { initial: 'a', terminals: ['c'], transitions: { a: ['b', 'c'], b: ['c'], c: [] } };

describe('validateMachine', () => {
  it('finds nothing wrong with a sound definition', () => {
    expect(validateMachine(sound)).toEqual([]);
  });

  it.each<[string, MachineDefinition<S>, string]>([
    ['an exit to nowhere', { ...sound, transitions: { ...sound.transitions, b: ['c', 'z' as S] } }, 'z is not a state'],
    ['an unknown initial state', { ...sound, initial: 'z' as S }, 'z is not a state'],
    ['an unknown terminal', { ...sound, terminals: ['c', 'z' as S] }, 'z is not a state'],
    ['a state that cannot be reached', { ...sound, transitions: { a: ['c'], b: ['c'], c: [] } }, 'b cannot be reached'],
    [
      'a terminal with exits',
      { ...sound, transitions: { a: ['b'], b: ['c'], c: ['a'] } },
      'c is terminal and has exits',
    ],
    ['a dead end', { ...sound, transitions: { a: ['b', 'c'], b: [], c: [] } }, 'b is a dead end'],
    ['an exit named twice', { ...sound, transitions: { a: ['b', 'b'], b: ['c'], c: [] } }, 'a names an exit twice'],
  ])('finds %s', (_fault, definition, message) => {
    expect(validateMachine(definition)).toContain(message);
  });
});

describe('defineMachine', () => {
  it('refuses an unsound definition when the module is loaded', () => {
    expect(() => defineMachine({ ...sound, terminals: [] })).toThrow('Unsound state machine: c is a dead end.');
  });

  it('answers which transitions are allowed', () => {
    const machine = defineMachine(sound);
    expect(machine.initial).toBe('a');
    expect(machine.states).toEqual(['a', 'b', 'c']);
    expect(machine.allows('a', 'c')).toBe(true);
    expect(machine.allows('b', 'a')).toBe(false);
    expect(machine.isTerminal('c')).toBe(true);
    expect(machine.isTerminal('a')).toBe(false);
    expect(machine.predecessors('c')).toEqual(['a', 'b']);
  });
});

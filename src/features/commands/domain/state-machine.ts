/** The allowed transitions. A state without exits is terminal. */
export interface MachineDefinition<S extends string> {
  readonly initial: S;
  readonly terminals: readonly S[];
  readonly transitions: Readonly<Record<S, readonly S[]>>;
}

/** A valid definition, with queries on it. */
export interface StateMachine<S extends string> {
  readonly initial: S;
  readonly states: readonly S[];
  allows(from: S, to: S): boolean;
  isTerminal(state: S): boolean;
  /** States from which `to` can be reached in one step: the condition of the UPDATE that goes there. */
  predecessors(to: S): readonly S[];
}

/** @returns all faults of a definition; empty when it is sound */
export function validateMachine<S extends string>(definition: MachineDefinition<S>): string[] {
  const { initial, terminals, transitions } = definition;
  const states = statesOf(transitions);
  const known = new Set<S>(states);
  const reached = reachableFrom(initial, transitions);
  const named = [initial, ...terminals, ...states.flatMap((state) => transitions[state])];
  return [
    ...[...new Set(named)].filter((state) => !known.has(state)).map((state) => `${state} is not a state`),
    ...states.filter((state) => !reached.has(state)).map((state) => `${state} cannot be reached`),
    ...states
      .filter((state) => terminals.includes(state) !== (transitions[state].length === 0))
      .map((state) => (terminals.includes(state) ? `${state} is terminal and has exits` : `${state} is a dead end`)),
    ...states
      .filter((state) => new Set(transitions[state]).size < transitions[state].length)
      .map((state) => `${state} names an exit twice`),
  ];
}

/** @throws Error when the definition is unsound: so the process does not start with it */
export function defineMachine<S extends string>(definition: MachineDefinition<S>): StateMachine<S> {
  const faults = validateMachine(definition);
  if (faults.length > 0) {
    throw new Error(`Unsound state machine: ${faults.join('; ')}.`);
  }
  const { initial, terminals, transitions } = definition;
  const states = statesOf(transitions);
  return {
    initial,
    states,
    allows: (from, to) => transitions[from].includes(to),
    isTerminal: (state) => terminals.includes(state),
    predecessors: (to) => states.filter((state) => transitions[state].includes(to)),
  };
}

function statesOf<S extends string>(transitions: Readonly<Record<S, readonly S[]>>): S[] {
  return Object.keys(transitions) as S[];
}

function reachableFrom<S extends string>(initial: S, transitions: Readonly<Record<S, readonly S[]>>): Set<S> {
  const reached = new Set<S>([initial]);
  // A Set iterates over members that are added during the iteration.
  for (const state of reached) {
    // An unknown state is reported elsewhere; here it has no exits.
    for (const exit of (transitions as Partial<Record<S, readonly S[]>>)[state] ?? []) {
      reached.add(exit);
    }
  }
  return reached;
}

import { Injectable } from '@nestjs/common';
import type { AuditAction, AuditEntity, AuditEntityType } from '../../contracts/audit.js';
import { isUuid } from '../../shared/ids.js';
import { InvalidRequestError } from '../http/validation/validation.js';

/** What a feature audits. */
export interface AuditDeclaration {
  /** In snake_case. */
  readonly actions: readonly string[];
  /** Types of things that entries are about, each with the route parameter that names one, or null. */
  readonly entities?: Readonly<Record<string, string | null>>;
}

/** An IP address, a network, or the thumbprint of a key; other values are not recorded. */
const NAME = /^[\w.:/-]{1,64}$/;

/** Every audited action and type of entity, each registered by its owner through `AuditPlatformModule.forFeature`. */
@Injectable()
export class AuditRegistry {
  readonly #actions = new Set<string>();
  readonly #entityTypes = new Set<string>();
  readonly #typeOfParameter = new Map<string, string>();

  /** @throws when an action, a type or a parameter is registered already. */
  register({ actions, entities = {} }: AuditDeclaration): void {
    for (const action of actions) {
      addOnce(this.#actions, action);
    }
    for (const [type, parameter] of Object.entries(entities)) {
      addOnce(this.#entityTypes, type);
      if (parameter !== null) {
        if (this.#typeOfParameter.has(parameter)) {
          throw new Error(`The audited parameter "${parameter}" is registered twice.`);
        }
        this.#typeOfParameter.set(parameter, type);
      }
    }
  }

  hasAction(action: string): boolean {
    return this.#actions.has(action);
  }

  /** The entity that a route parameter names; null for other parameters, and for values that cannot be its id. */
  entityOf(parameter: string, value = ''): AuditEntity | null {
    const type = this.#typeOfParameter.get(parameter);
    const isGood = parameter.endsWith('Id') ? isUuid(value) : NAME.test(value);
    return type !== undefined && isGood ? { type: type as AuditEntityType, id: value } : null;
  }

  /** @throws InvalidRequestError when a filter names an action or a type that no feature registers. */
  assertKnown(filter: { action?: AuditAction | undefined; entityType?: AuditEntityType | undefined }): void {
    const faults = [
      ...faultsOf('action', filter.action, this.#actions),
      ...faultsOf('entityType', filter.entityType, this.#entityTypes),
    ];
    if (faults.length > 0) {
      throw new InvalidRequestError(faults);
    }
  }
}

function addOnce(names: Set<string>, name: string): void {
  if (names.has(name)) {
    throw new Error(`The audited name "${name}" is registered twice.`);
  }
  names.add(name);
}

function faultsOf(
  member: string,
  value: string | undefined,
  known: ReadonlySet<string>,
): InvalidRequestError['errors'] {
  return value === undefined || known.has(value)
    ? []
    : [{ pointer: `/${member}`, detail: `\`${member}\` must be one of ${[...known].join(', ')}` }];
}

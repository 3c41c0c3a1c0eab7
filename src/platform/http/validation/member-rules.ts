import { getMetadataStorage } from 'class-validator';

type Rule = ReturnType<ReturnType<typeof getMetadataStorage>['getTargetValidationMetadatas']>[number];

/** The rules of a class for its members. */
function rulesOf(type: object): readonly Rule[] {
  return getMetadataStorage().getTargetValidationMetadatas(type as new () => object, '', false, false);
}

/** The members that a class takes. */
export function ruleNames(type: object): string[] {
  return [...new Set(rulesOf(type).map(({ propertyName }) => propertyName))];
}

/** What the decorators of one member say. */
export interface MemberRules {
  readonly name: string;
  /** The argument of a rule at this place; undefined where the member has no such rule. */
  readonly argument: (rule: string, place?: number) => unknown;
  /** Whether a decorator brings words of its own for this rule. */
  readonly hasWords: (rule: string) => boolean;
  /** Whether a rule is about each item of a list. */
  readonly isForEach: (rule: string) => boolean;
}

/** @param type the class of the object with the member; a list has none. */
export function memberRules(type: object, name: string): MemberRules {
  const rules = new Map(
    rulesOf(type)
      .filter(({ propertyName }) => propertyName === name)
      .map((rule) => [rule.name ?? rule.type, rule]),
  );
  return {
    name,
    argument: (rule, place = 0) => (rules.get(rule)?.constraints as readonly unknown[] | undefined)?.[place],
    hasWords: (rule) => rules.get(rule)?.message !== undefined && rules.get(rule)?.message !== '',
    isForEach: (rule) => rules.get(rule)?.each === true,
  };
}

import { applyDecorators } from '@nestjs/common';
import { ApiResponse } from '@nestjs/swagger';
import { DomainError, exampleOf, type ProblemType } from '../../../shared/domain-error.js';
import { type Problem, problemOf } from './problem.js';
import { httpProblem, toHttpProblem } from './http-problems.js';

/**
 * A class of errors; one error, where its text depends on the route; what describes the errors of a feature above; or the code
 * of a refusal by the framework.
 */
export type Refusal = (abstract new (...args: never[]) => DomainError) | DomainError | ProblemType | string;

/** A response of the OpenAPI document that says of one code what it means, with one example. */
export interface RefusalResponse {
  readonly status: number;
  readonly description: string;
  readonly examples: Readonly<Record<string, { summary: string; value: Readonly<Record<string, unknown>> }>>;
}

/**
 * Documents what a route refuses, by the classes of errors that it throws. Several of one status, also from other decorators,
 * stand side by side: `completeDocument` makes one response of them.
 */
export function Refuses(...refusals: readonly Refusal[]): MethodDecorator & ClassDecorator {
  return applyDecorators(...refusals.map((refusal) => ApiResponse(refusalResponse(refusal))));
}

export function refusalResponse(refusal: Refusal): RefusalResponse {
  if (typeof refusal === 'string' || 'meaning' in refusal) {
    const problem = typeof refusal === 'string' ? httpProblem(refusal) : toHttpProblem(refusal);
    const { code, status, title, meaning, example } = problem;
    const value = { title, status, detail: example ?? meaning, code };
    return { status, description: '', examples: { [code]: { summary: meaning, value } } };
  }
  const value: Partial<Problem> & { code: string; status: number } = {
    ...problemOf(refusal instanceof DomainError ? refusal : exampleOf(refusal)),
  };
  // They stand in headers.
  delete value.retryAfter;
  delete value.challenge;
  const { code, status } = value;
  return { status, description: '', examples: { [code]: { summary: httpProblem(code).meaning, value } } };
}

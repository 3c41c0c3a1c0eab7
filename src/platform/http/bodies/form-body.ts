import { applyDecorators } from '@nestjs/common';
import { ApiConsumes } from '@nestjs/swagger';
import { addRouteConfig } from '../route-config.js';

declare module 'fastify' {
  interface FastifyContextConfig {
    acceptsForms?: boolean;
  }
}

/** The members of a form, each given once. */
export type FormMembers = Readonly<Record<string, string>>;

const MAX_MEMBERS = 100;

/** This route takes a form as programs of other services post it. Its handler is given its members, or null of what is none. */
export const Form = (): MethodDecorator =>
  applyDecorators(addRouteConfig({ acceptsForms: true }), ApiConsumes('application/x-www-form-urlencoded'));

/** Null where a name stands twice, or there are too many: which of the two was meant is not guessed. */
export function formOf(body: Buffer): FormMembers | null {
  const entries = [...new URLSearchParams(body.toString())];
  const members = Object.fromEntries(entries);
  return entries.length <= MAX_MEMBERS && Object.keys(members).length === entries.length ? members : null;
}

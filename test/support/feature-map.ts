import type { Type } from '@nestjs/common';
import { METHOD_METADATA, PATH_METADATA } from '@nestjs/common/constants.js';
import { PATTERN_METADATA } from '@nestjs/microservices/constants.js';
import { MESSAGE_METADATA } from '@nestjs/websockets/constants.js';
import { FEATURES } from '../../src/apps/features.js';
import { type SourceFile, sourceFiles } from './source-rules.js';

/** One way into the application, and the folder of the feature that stands behind it. */
export interface Entrance {
  /** `/users/me/email`, without the version; `v1/devices/+/acks`; `subscribe_device`; `purge_mails`; `low_battery`. */
  readonly name: string;
  /** `features/account`. */
  readonly folder: string;
}

export interface FeatureMap {
  /** Every HTTP route, with the path that its controller declares. */
  readonly routes: readonly (Entrance & { readonly prefix: string })[];
  readonly topics: readonly Entrance[];
  readonly socketMessages: readonly Entrance[];
  readonly jobs: readonly Entrance[];
  readonly eventTypes: readonly Entrance[];
}

/** Reads from the decorators of all edges where requests and messages go. */
export async function featureMap(): Promise<FeatureMap> {
  const files = await sourceFiles();
  const folders = foldersOfClasses(files);
  const edges = FEATURES.flatMap(({ edges = {} }) => Object.values(edges).flat());
  const handlers = [...new Set(edges)].flatMap((type) => {
    const folder = folders.get(type.name);
    if (folder === undefined) {
      throw new Error(`${type.name} is in no file of src.`);
    }
    return handlersOf(type).map((handler) => ({ type, handler, folder }));
  });
  const routes = handlers.flatMap(({ type, handler, folder }) =>
    Reflect.hasMetadata(METHOD_METADATA, handler)
      ? [{ prefix: pathOf(type), name: join(pathOf(type), pathOf(handler)), folder }]
      : [],
  );
  return {
    routes,
    topics: handlers.flatMap(({ handler, folder }) => {
      const patterns = (Reflect.getMetadata(PATTERN_METADATA, handler) ?? []) as unknown[];
      return patterns.map((name) => ({ name: String(name), folder }));
    }),
    socketMessages: handlers.flatMap(({ handler, folder }) => {
      const name: unknown = Reflect.getMetadata(MESSAGE_METADATA, handler);
      return typeof name === 'string' ? [{ name, folder }] : [];
    }),
    jobs: found(files, /(?:purgeRule\(\{\s*name: |jobs\.register\()'(\w+)'/g),
    eventTypes: files.flatMap(({ path, text }) =>
      [...text.matchAll(/_EVENTS = \{([^}]+)\}/g)].flatMap(([, members = '']) =>
        found([{ path, text: members }], /^ *(\w+):/gm),
      ),
    ),
  };
}

/**
 * Routes that another feature's prefix would make a reader expect elsewhere: of all declared prefixes, the longest one
 * that a route begins with must be of the route's own feature, and of no other.
 */
export function strayRoutes(routes: FeatureMap['routes']): string[] {
  return routes.flatMap(({ name, folder }) => {
    const length = Math.max(
      ...routes.filter(({ prefix }) => isWithin(name, prefix)).map(({ prefix }) => prefix.length),
    );
    const owners = routes.filter(({ prefix }) => prefix.length === length && isWithin(name, prefix));
    const others = new Set(owners.map((owner) => owner.folder).filter((owner) => owner !== folder));
    return [...others].map((other) => `${name} is in ${folder}, but its prefix is of ${other}`);
  });
}

/** The prefixes a reader needs: those whose folder does not follow from a shorter one. */
export function mappedPrefixes(routes: FeatureMap['routes']): Entrance[] {
  const all = [...new Map(routes.map(({ prefix, name, folder }) => [prefix === '/' ? name : prefix, folder]))].map(
    ([name, folder]) => ({ name, folder }),
  );
  return all.filter(({ name, folder }) => {
    const above = all.filter((other) => other.name !== name && isWithin(name, other.name));
    const nearest = above.sort((a, b) => b.name.length - a.name.length)[0];
    return nearest?.folder !== folder;
  });
}

function found(files: readonly SourceFile[], pattern: RegExp): Entrance[] {
  return files.flatMap(({ path, text }) =>
    [...text.matchAll(pattern)].map(([, name = '']) => ({ name, folder: folderOf(path) })),
  );
}

function foldersOfClasses(files: readonly SourceFile[]): Map<string, string> {
  const classes = files.flatMap(({ path, text }) =>
    [...text.matchAll(/^export (?:abstract )?class (\w+)/gm)].map(([, name = '']) => [name, folderOf(path)] as const),
  );
  return new Map(classes);
}

/** `src/features/auth/login/login.service.ts` is in `features/auth`. */
function folderOf(path: string): string {
  return path.split('/').slice(1, 3).join('/');
}

function handlersOf(type: Type): object[] {
  const prototype = type.prototype as Record<string, unknown>;
  return Object.getOwnPropertyNames(prototype)
    .filter((name) => name !== 'constructor')
    .map((name) => Object.getOwnPropertyDescriptor(prototype, name)?.value as unknown)
    .filter((value): value is object => typeof value === 'function');
}

function pathOf(target: object): string {
  return join(...[Reflect.getMetadata(PATH_METADATA, target) as string | string[]].flat());
}

function join(...parts: readonly string[]): string {
  const path = parts.map((part) => part.replaceAll(/^\/+|\/+$/g, '')).filter((part) => part !== '');
  return `/${path.join('/')}`;
}

/** A parameter of one stands for a parameter of the other; the empty prefix holds nothing but what it declares itself. */
function isWithin(path: string, prefix: string): boolean {
  const shape = (text: string): string => text.replaceAll(/:\w+/g, ':');
  return prefix !== '/' && (shape(path) === shape(prefix) || shape(path).startsWith(`${shape(prefix)}/`));
}

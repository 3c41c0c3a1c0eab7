/**
 * Every audited action: every change, authentication, and reading other people's data. The owner of an action adds it
 * here by declaration merging, beside the declaration that it registers with `AuditPlatformModule.forFeature`.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are merged in
export interface AuditActions {}
export type AuditAction = keyof AuditActions;

/** Every type of thing that an entry can be about, with the route parameter that names one, or null. */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are merged in
export interface AuditEntityTypes {}
export type AuditEntityType = keyof AuditEntityTypes;

/** A route parameter that names a thing that is audited. */
export type AuditParameter = NonNullable<AuditEntityTypes[AuditEntityType]>;

/** What an entry is about. */
export interface AuditEntity {
  readonly type: AuditEntityType;
  readonly id: string | null;
}

/** What a service says of what it did. Secrets do not belong into `before` and `after`. */
export interface AuditFacts {
  readonly entity: AuditEntity;
  readonly before?: Readonly<Record<string, unknown>>;
  readonly after?: Readonly<Record<string, unknown>>;
}

/** What the route of a request declares to be audited, and whether it was recorded. */
export interface AuditIntent {
  readonly action: AuditAction;
  recorded: boolean;
  /** What the request is aimed at, as far as that is known before it succeeds. */
  target?: AuditEntity;
}

/**
 * Every category of rate limit. The owner of a category adds it here by declaration merging, beside the declaration
 * that it registers with `RateLimitModule.forFeature`, so that `@RateLimit('…')` takes no other name.
 */
// eslint-disable-next-line @typescript-eslint/no-empty-object-type -- its members are merged in
export interface RateCategories {}
export type RateCategory = keyof RateCategories;

/**
 * `Value`, where the class `C` documents the contract `T` completely: it has each member of the contract and none besides,
 * and everything the contract allows fits it. `never` where it does not, so that what is documented cannot drift from
 * what is sent.
 */
export type Documented<T, C, Value> = [T] extends [C]
  ? [keyof T & string, keyof C & string] extends [keyof C & string, keyof T & string]
    ? Value
    : never
  : never;

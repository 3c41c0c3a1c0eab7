/** The members of a row, each with what other backends and spreadsheets call it: compared without case, blanks, `_` and `-`. */
const MEMBERS = {
  hardwareId: ['deviceId', 'serialNumber', 'serial', 'mac', 'macAddress', 'id'],
  type: ['deviceType', 'kind'],
  name: ['deviceName', 'label', 'displayName', 'title'],
  model: ['deviceModel', 'modelName'],
  firmwareVersion: ['firmware', 'fwVersion'],
  room: ['zone'],
  location: ['place', 'address', 'site'],
  position: ['coordinates', 'geo', 'gps'],
  latitude: ['lat', 'position.latitude', 'position.lat'],
  longitude: ['lng', 'lon', 'long', 'position.longitude', 'position.lng'],
  metadata: ['meta', 'attributes', 'custom'],
  timeZone: ['tz'],
  ownerEmail: ['email', 'userEmail', 'owner.email', 'user.email'],
  /** An owner as an older backend has it: with an address, or as an id, which says nothing here. */
  owner: ['user', 'ownerId', 'userId'],
} as const;
export type RowMember = keyof typeof MEMBERS;

/** What lists of older backends carry and we do not keep. */
export const LEFT_OUT = [
  ...['_id', '__v', '_class', 'owner._id', 'user._id'],
  ...['deviceToken', 'token', 'authToken', 'apiKey', 'secret', 'password'],
  ...['status', 'state', 'isOnline', 'online', 'isConnected', 'connected', 'isActive', 'active', 'enabled'],
  ...['isLocked', 'locked', 'lockState', 'doorState', 'battery', 'batteryLevel', 'rssi', 'signalStrength'],
  ...[
    'lastSeen',
    'lastSeenAt',
    'lastOnline',
    'lastHeartbeat',
    'lastActivity',
    'lastConnected',
    'socketId',
    'ip',
    'ipAddress',
  ],
  ...['settings', 'config', 'configuration', 'sharedWith', 'permissions'],
  ...['createdAt', 'updatedAt', 'registeredAt', 'deletedAt', 'isDeleted'],
] as const;

/** What a list calls something: a member, one member of its metadata, or what is left out. */
export type Meaning =
  | { readonly member: RowMember; readonly called: string }
  | { readonly metadata: string }
  | { readonly leftOut: string };

const METADATA = /^metadata\.(.+)$/i;
const CANONICAL = new Map(
  (Object.entries(MEMBERS) as [RowMember, readonly string[]][]).flatMap(([member, names]) =>
    [member, ...names].map((called) => [folded(called), { member, called }] as const),
  ),
);
/** Those that begin with `_` are found as they are: without it, `_id` would be `id`. */
const LEFT_OUT_NAMES = new Map(LEFT_OUT.map((name) => [name.includes('_') ? name : folded(name), name]));

/** Names to choose from, for a message. */
export const COLUMNS = Object.keys(MEMBERS)
  .filter((name) => name !== 'owner' && name !== 'position' && name !== 'metadata')
  .concat('metadata.<name>');
/** Every name that is known. */
export const KNOWN_NAMES = Object.entries(MEMBERS).flatMap(([member, names]) => [member, ...names]);

/** @returns undefined for a name that is not known */
export function meaningOf(name: string): Meaning | undefined {
  const bare = folded(name);
  const leftOut = LEFT_OUT_NAMES.get(name) ?? LEFT_OUT_NAMES.get(bare);
  if (leftOut !== undefined) {
    return { leftOut };
  }
  const [, metadata] = METADATA.exec(name) ?? [];
  return metadata === undefined ? CANONICAL.get(bare) : { metadata };
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

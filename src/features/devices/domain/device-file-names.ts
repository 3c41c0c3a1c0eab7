/** The members of a row, each with what other backends and spreadsheets call it: compared without case, blanks, `_` and `-`. */
const MEMBERS = {
  hardwareId: ['deviceId', 'serialNumber', 'serial', 'mac', 'macAddress', 'id'],
  type: ['deviceType', 'kind'],
  name: ['deviceName', 'label', 'displayName', 'title'],
  model: ['deviceModel', 'modelName'],
  firmwareVersion: ['firmware', 'fwVersion', 'firmware.version'],
  room: ['zone'],
  location: ['place', 'address', 'site'],
  position: ['coordinates', 'geo', 'gps'],
  latitude: ['lat', 'position.latitude', 'position.lat', 'location.latitude', 'location.lat'],
  longitude: ['lng', 'lon', 'long', 'position.longitude', 'position.lng', 'location.longitude', 'location.lng'],
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
  ...['wifi', 'wifiSsid', 'ssid', 'network', 'uptime', 'capabilities', 'features', 'sensors'],
  ...['settings', 'config', 'configuration', 'sharedWith', 'permissions', 'users', 'accessCodes'],
  ...['visitors', 'events', 'logs', 'history', 'commands', 'description', 'notes', 'tags'],
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

/** Objects of which one member is kept, as they are and in columns of their own: `owner.email`, `firmware.version`. */
const KEPT_IN_PART: ReadonlySet<RowMember> = new Set(['owner', 'firmwareVersion']);

/** Names to choose from, for a message. */
export const COLUMNS = Object.keys(MEMBERS)
  .filter((name) => name !== 'owner' && name !== 'position' && name !== 'metadata')
  .concat('metadata.<name>');
/** Every name that is known. */
export const KNOWN_NAMES = Object.entries(MEMBERS).flatMap(([member, names]) => [member, ...names]);

/** @returns undefined for a name that is not known */
export function meaningOf(name: string): Meaning | undefined {
  const leftOut = leftOutName(name);
  if (leftOut !== undefined) {
    return { leftOut };
  }
  const [, metadata] = METADATA.exec(name) ?? [];
  return metadata === undefined ? (CANONICAL.get(folded(name)) ?? meaningOfPart(name)) : { metadata };
}

/** A column for a member of an object, such as `settings.autoLock`, is left out as the object would be. */
function meaningOfPart(name: string): Meaning | undefined {
  const [object = '', ...path] = name.split('.');
  if (path.length === 0) {
    return undefined;
  }
  const known = CANONICAL.get(folded(object));
  const leftOut = leftOutName(object) ?? (known && KEPT_IN_PART.has(known.member) ? object : undefined);
  return leftOut === undefined ? undefined : { leftOut };
}

function leftOutName(name: string): string | undefined {
  return LEFT_OUT_NAMES.get(name) ?? LEFT_OUT_NAMES.get(folded(name));
}

function folded(name: string): string {
  return name.toLowerCase().replaceAll(/[\s_-]/g, '');
}

/** What stands at the top of Swagger UI. Markdown. */
export const GUIDE = `The open backend for connected doors and smart devices.

### Quick start
1. **Log in.** Open [\`POST /api/v1/auth/login\`](#/Authentication/Auth_login), press *Try it out* and *Execute*. The body is that of
   the demo account, which \`npm start\` makes; anywhere else, type your own.
2. **Authorize.** Copy \`accessToken\` from the answer, press *Authorize* at the top of this page, and paste it. It is good for 15
   minutes; then log in again, or exchange the refresh token at [\`POST /api/v1/auth/refresh\`](#/Authentication/Auth_refresh).
3. **Find a door.** [\`GET /api/v1/devices\`](#/Devices/Devices_list) lists yours. Copy the \`id\` of one.
4. **Open it.** [\`POST /api/v1/devices/{deviceId}/commands\`](#/Commands/Commands_send) with a new random \`Idempotency-Key\` and
   \`Prefer: wait=10\`. The answer says \`EXECUTED\` when the lock itself has said so.

### Conventions
- **Errors** are problem documents (RFC 9457). Branch on \`code\`; \`type\` is an address that explains it. All of them: [problems](/problems).
- **Lists** that can grow are \`{ items, nextCursor }\`. Send \`nextCursor\` as \`cursor\` to go on; it is \`null\` on the last page.
- **Times** are RFC 3339 in UTC.
- **Repeats** are safe: with the same \`Idempotency-Key\`, a POST (but those of \`/auth\`) is done once, however often it is sent.
- **Versions**: \`ETag\` with \`If-None-Match\` saves reading what has not changed; with \`If-Match\`, you change only what you have read.
- **Live**: what happens comes over Socket.IO; its messages are in [an AsyncAPI document](/api/docs/asyncapi.json); by event streams (\`/events/stream\`); and by polling (\`/events\`).
- **Limits** are told by \`RateLimit\` and \`RateLimit-Policy\`; after a 429, wait as long as \`Retry-After\` says.
`;

/** In the order of a day's work. Every operation has one of them. */
export const TAGS: readonly (readonly [name: string, description: string])[] = [
  ['Authentication', 'Log in, refresh, log out, and see where you are signed in.'],
  ['Registration and passwords', 'Make an account, confirm what was mailed, choose another password.'],
  ['My account', 'Your names, preferences and activity.'],
  ['Devices', 'Register, claim, find, change, hand on and delete devices; why one does not come through.'],
  ['Sharing', 'Lend a device: permissions with a window and a weekly schedule, and who can do what.'],
  ['Commands', 'Tell a device to do something, and follow what comes of it.'],
  ['History', 'What happened to a device.'],
  ['Analytics', 'What was counted of it: figures, courses and comparisons, for charts.'],
  ['Exports', 'Files of it, made behind the request: asked for, followed, and read.'],
  ['Notifications', 'What of it I am told, in the app and outside of it, and what I want to be told.'],
  ['Webhooks', 'The same posted to a program of yours, signed.'],
  ['Live', 'What happens, as it happens: event streams, and polling.'],
  ['Devices on HTTP', 'What a device says that has no connection, with its own token.'],
  ['Organizations', 'Share devices with a group: members, roles, invitations.'],
  ['User management', 'For administrators: accounts, one by one and in bulk.'],
  ['Provisioning', 'For makers of devices: load what buyers will claim.'],
  ['Audit', 'For administrators: who did what.'],
  ['Blocked addresses', 'For administrators: addresses that exceeded the rate limits too often.'],
  ['Jobs', 'For administrators: the queues, and work that was given up.'],
  ['Signing keys', 'The public keys of access tokens and orders; for administrators, their rotation.'],
  ['Problems', 'Every kind of refusal: what it means, how it comes about, what to do.'],
  ['Operations', 'Probes for balancers and monitoring.'],
];

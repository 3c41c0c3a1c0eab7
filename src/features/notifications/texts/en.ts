import type { Catalog } from './catalog.types.js';

export const EN = {
  kinds: {
    device_offline: {
      heading: 'Offline',
      title: '{device} is offline',
      text: '{device} has lost its connection.{seenAt, select, none {} other { It was last heard on {seenAt}.}} Until it is back, it can be neither watched nor controlled.',
      line: '{device}',
    },
    low_battery: {
      heading: 'Battery low',
      title: '{device}: battery low',
      text: '{device} reports a low battery{battery, select, none {} other { ({battery, number, percent})}}. Replace or charge it soon.',
      line: '{device}',
    },
    door_forced: {
      heading: 'Forced open',
      title: '{device} was forced open',
      text: '{device} reports that its door was forced open{at, select, none {} other { on {at}}}. Look after it at once.',
      line: '{device}',
    },
    door_left_open: {
      heading: 'Left open',
      title: '{device} was left open',
      text: '{device} reports that its door was left open{at, select, none {} other { on {at}}}. Look after it.',
      line: '{device}',
    },
    wrong_codes: {
      heading: 'Wrong codes',
      title: '{device}: too many wrong codes',
      text: '{device} was given wrong codes too often{at, select, none {} other { on {at}}}. It may be an attempt to guess one.',
      line: '{device}',
    },
    command_failed: {
      heading: 'Commands failed',
      title: '{device}: {command} failed',
      text: '{device} did not carry out what you asked of it: {command}.{code, select, none {} other { It says: {code}.}}',
      line: '{device}, {command}',
    },
    command_unconfirmed: {
      heading: 'Commands not confirmed',
      title: '{device}: {command} was not confirmed',
      text: '{device} did not confirm in time what you asked of it: {command}. It may have been carried out or not: look at the device before you ask again.',
      line: '{device}, {command}',
    },
    share_granted: {
      heading: 'Shared with you',
      title: '{person} shared a device with you',
      text: '{person} shared a device with you: {device}. You may {permission} while the share is open. If you do not want it, leave it.',
      line: '{device}, by {person}',
    },
    invitation_received: {
      heading: 'Invitations',
      title: 'You are invited to {organization}',
      text: '{person} invites you to {organization}, as {role}. If you do not know who that is, ignore this.',
      line: '{organization}, by {person}',
    },
    export_ready: {
      heading: 'Exports',
      title: '{state, select, failed {Your export failed} other {Your export is ready}}: {exported}',
      text: '{state, select, failed {An export that you asked for could not be made: {exported}. Ask for it again, or for less at once.} other {An export that you asked for is ready: {exported}. Its file is kept for 24 hours.}}',
      line: '{exported}{state, select, failed { (failed)} other {}}',
    },
    new_sign_in: {
      heading: 'New sign-ins',
      title: 'New sign-in to your account',
      text: 'Your account was signed in to from {program}{address, select, none {} other {, address {address}}}{at, select, none {} other {, on {at}}}. If it was not you, change your password and end your sessions at once.',
      line: '{program}{address, select, none {} other {, {address}}}',
    },
    password_reset: {
      heading: 'Password resets',
      title: 'Your password was reset',
      text: 'An administrator reset your password{at, select, none {} other { on {at}}}, and all your sessions were ended. If you did not ask for that, tell those who run this service.',
      line: 'by an administrator',
    },
    security_alarm: {
      heading: 'Security alarms',
      title:
        '{scope, select, own {Many failed sign-ins to your account} account {Many failed sign-ins to one account} other {Many failed sign-ins}}',
      text: '{failures, plural, =0 {Many sign-ins} one {# sign-in} other {# sign-ins}} {scope, select, own {to your account} account {to one account} other {to this installation}} failed{seconds, plural, =0 {} one { within # second} other { within # seconds}}{at, select, none {} other {, on {at}}}. {scope, select, own {If it was not you, choose a password that you use nowhere else.} other {It may be an attempt to guess passwords.}}',
      line: '{scope, select, own {your account} account {one account} other {all accounts}}',
    },
  },
  words: {
    device: '{given, select, yes {“{name}”} other {A device}}',
    person: '{given, select, yes {{name}} other {Another person}}',
    organization: '{given, select, yes {“{name}”} other {an organization}}',
    program: '{given, select, yes {{name}} other {a device that was not seen before}}',
    code: '“{name}”',
    command:
      '{word, select, lock_door {locking} unlock_door {unlocking} request_snapshot {taking a snapshot} restart_device {restarting} firmware_update {the firmware update} sync_access_codes {syncing the access codes} other {a command}}',
    permission: '{word, select, view {see it} control {see and control it} admin {administer it} other {use it}}',
    role: '{word, select, VIEWER {viewer} OPERATOR {operator} MANAGER {manager} OWNER {owner} other {member}}',
    exported:
      '{word, select, device_logs {device logs} usage_report {usage report} device_report {device report} users {users} audit {audit trail} my_data {my data} other {data}}',
  },
  digest: {
    title: '{count, plural, one {# notification} other {# notifications}}',
    titleOfOneKind: '{heading}: {count, number}',
    period:
      '{count, plural, one {# notification} other {# notifications}}{isMoment, select, yes {, on {until}} other {, from {from} to {until}}}',
    heading: '{heading} ({count, number})',
    line: '- {what}: {count, plural, one {{at}} other {# times, last on {at}}}',
    more: '- and {count, number} more',
  },
} as const satisfies Catalog;

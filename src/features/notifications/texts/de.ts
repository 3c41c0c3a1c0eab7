import type { Catalog } from './catalog.types.js';

export const DE = {
  kinds: {
    device_offline: {
      heading: 'Offline',
      title: '{device} ist offline',
      text: '{device} hat die Verbindung verloren.{seenAt, select, none {} other { Letztes Lebenszeichen: {seenAt}.}} Bis zur Rückkehr lässt sich das Gerät weder beobachten noch steuern.',
      line: '{device}',
    },
    low_battery: {
      heading: 'Batterie schwach',
      title: '{device}: Batterie schwach',
      text: '{device} meldet eine schwache Batterie{battery, select, none {} other { ({battery, number, percent})}}. Bitte bald wechseln oder laden.',
      line: '{device}',
    },
    door_forced: {
      heading: 'Aufgebrochen',
      title: '{device} wurde aufgebrochen',
      text: '{device} meldet{at, select, none {} other { am {at}}}: Die Tür wurde gewaltsam geöffnet. Sehen Sie sofort nach.',
      line: '{device}',
    },
    door_left_open: {
      heading: 'Offen gelassen',
      title: '{device} wurde offen gelassen',
      text: '{device} meldet{at, select, none {} other { am {at}}}: Die Tür wurde offen gelassen. Sehen Sie nach.',
      line: '{device}',
    },
    wrong_codes: {
      heading: 'Falsche Codes',
      title: '{device}: zu viele falsche Codes',
      text: '{device} meldet{at, select, none {} other { am {at}}}: Zu oft wurden falsche Codes eingegeben. Vielleicht soll einer erraten werden.',
      line: '{device}',
    },
    command_failed: {
      heading: 'Fehlgeschlagene Befehle',
      title: '{device}: {command} fehlgeschlagen',
      text: '{device} hat nicht ausgeführt, was Sie verlangt haben: {command}.{code, select, none {} other { Die Meldung dazu: {code}.}}',
      line: '{device}, {command}',
    },
    command_unconfirmed: {
      heading: 'Unbestätigte Befehle',
      title: '{device}: {command} nicht bestätigt',
      text: '{device} hat nicht rechtzeitig bestätigt, was Sie verlangt haben: {command}. Vielleicht wurde es ausgeführt, vielleicht nicht: Sehen Sie nach dem Gerät, bevor Sie es wiederholen.',
      line: '{device}, {command}',
    },
    share_granted: {
      heading: 'Für Sie freigegeben',
      title: '{person} hat ein Gerät für Sie freigegeben',
      text: '{person} hat ein Gerät für Sie freigegeben: {device}. Solange die Freigabe gilt, dürfen Sie es {permission}. Wenn Sie das nicht wollen, verlassen Sie die Freigabe.',
      line: '{device}, von {person}',
    },
    invitation_received: {
      heading: 'Einladungen',
      title: 'Einladung zu {organization}',
      text: '{person} lädt Sie zu {organization} ein, in der Rolle {role}. Wenn Sie nicht wissen, wer das ist, tun Sie nichts.',
      line: '{organization}, von {person}',
    },
    export_ready: {
      heading: 'Exporte',
      title: '{state, select, failed {Ihr Export ist fehlgeschlagen} other {Ihr Export ist fertig}}: {exported}',
      text: '{state, select, failed {Ein Export, den Sie verlangt haben, ließ sich nicht erstellen: {exported}. Verlangen Sie ihn noch einmal, oder weniger auf einmal.} other {Ein Export, den Sie verlangt haben, ist fertig: {exported}. Die Datei wird 24 Stunden lang aufbewahrt.}}',
      line: '{exported}{state, select, failed { (fehlgeschlagen)} other {}}',
    },
    new_sign_in: {
      heading: 'Neue Anmeldungen',
      title: 'Neue Anmeldung an Ihrem Konto',
      text: 'An Ihrem Konto gab es eine neue Anmeldung: {program}{address, select, none {} other {, Adresse {address}}}{at, select, none {} other {, am {at}}}. Wenn Sie das nicht waren, ändern Sie sofort Ihr Passwort und beenden Sie Ihre Sitzungen.',
      line: '{program}{address, select, none {} other {, {address}}}',
    },
    password_reset: {
      heading: 'Zurückgesetzte Passwörter',
      title: 'Ihr Passwort wurde zurückgesetzt',
      text: 'Die Administration hat{at, select, none {} other { am {at}}} Ihr Passwort zurückgesetzt und alle Ihre Sitzungen beendet. Wenn Sie das nicht verlangt haben, wenden Sie sich an die Betreiber dieses Dienstes.',
      line: 'durch die Administration',
    },
    security_alarm: {
      heading: 'Sicherheitsalarme',
      title:
        '{scope, select, own {Viele fehlgeschlagene Anmeldungen an Ihrem Konto} account {Viele fehlgeschlagene Anmeldungen an einem Konto} other {Viele fehlgeschlagene Anmeldungen}}',
      text: '{failures, plural, =0 {Viele fehlgeschlagene Anmeldungen} one {# fehlgeschlagene Anmeldung} other {# fehlgeschlagene Anmeldungen}} {scope, select, own {an Ihrem Konto} account {an einem Konto} other {an dieser Installation}}{seconds, plural, =0 {} one { innerhalb von # Sekunde} other { innerhalb von # Sekunden}}{at, select, none {} other {, am {at}}}. {scope, select, own {Wenn Sie das nicht waren, wählen Sie ein Passwort, das Sie nirgends sonst verwenden.} other {Vielleicht sollen Passwörter erraten werden.}}',
      line: '{scope, select, own {Ihr Konto} account {ein Konto} other {alle Konten}}',
    },
  },
  words: {
    device: '{given, select, yes {„{name}“} other {Ein Gerät}}',
    person: '{given, select, yes {{name}} other {Eine andere Person}}',
    organization: '{given, select, yes {„{name}“} other {einer Organisation}}',
    program: '{given, select, yes {{name}} other {ein bisher unbekanntes Gerät}}',
    code: '„{name}“',
    command:
      '{word, select, lock_door {Verriegeln} unlock_door {Entriegeln} request_snapshot {Schnappschuss} restart_device {Neustart} firmware_update {Firmware-Aktualisierung} sync_access_codes {Abgleich der Zugangscodes} other {ein Befehl}}',
    permission: '{word, select, view {sehen} control {sehen und steuern} admin {verwalten} other {benutzen}}',
    role: '{word, select, VIEWER {Betrachter} OPERATOR {Bediener} MANAGER {Verwalter} OWNER {Eigentümer} other {Mitglied}}',
    exported:
      '{word, select, device_logs {Geräteprotokolle} usage_report {Nutzungsbericht} device_report {Gerätebericht} users {Benutzer} audit {Prüfprotokoll} my_data {meine Daten} other {Daten}}',
  },
  digest: {
    title: '{count, plural, one {# Mitteilung} other {# Mitteilungen}}',
    titleOfOneKind: '{heading}: {count, number}',
    period:
      '{count, plural, one {# Mitteilung} other {# Mitteilungen}}{isMoment, select, yes { vom {until}} other {, {from} bis {until}}}',
    heading: '{heading} ({count, number})',
    line: '- {what}: {count, plural, one {{at}} other {#-mal, zuletzt am {at}}}',
    more: '- und {count, number} weitere',
  },
} as const satisfies Catalog;

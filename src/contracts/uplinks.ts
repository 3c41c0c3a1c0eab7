/** Limits of what a device says on its uplinks; docs/protocol.md states each of them. Lengths are in UTF-16 units. */
export const UPLINK_LIMITS = {
  bootLength: [8, 64],
  firmwareVersionLength: 64,
  heartbeatIntervalMs: [10_000, 86_400_000],
  /** Percent. */
  battery: [0, 100],
  /** dBm. */
  rssi: [-120, 0],
  /** Of `errorCode` in an ack. */
  errorCodeLength: 64,
  /** Of `errorMessage` in an ack. */
  errorMessageLength: 500,
  /** Of `result` in an ack, as JSON. */
  resultBytes: 4_096,
  /** Of an event's `type` that is not in the vocabulary. */
  eventTypeLength: 64,
  /** Of each text in the `data` of an event. */
  dataTextLength: 512,
  /** Of the `data` of a `custom` event, as JSON. */
  customDataBytes: 4_096,
  /** Of the `settings` of a `settings_updated` event, as JSON. */
  settingsBytes: 8_192,
} as const;

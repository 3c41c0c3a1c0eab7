/** So many intervals without a heartbeat are silence. */
export const MISSED_HEARTBEATS = 3;
/** After so many, a heartbeat of another boot counts: the device may have started again while its birth was lost. */
export const QUIET_HEARTBEATS = 1.5;

/** What became of one row of a list of devices, as it is answered. */
export interface ProvisionedRow {
  line: number;
  status: string;
  hardwareId: string | null;
  deviceId: string;
  claimCode: string | null;
  deviceToken: string | null;
  claimed: boolean;
  mailed: boolean;
  code: string | null;
}

/** The answer to a list of devices. */
export interface ProvisionedRows {
  created: number;
  renewed: number;
  refused: number;
  leftOut: string[];
  results: ProvisionedRow[];
}

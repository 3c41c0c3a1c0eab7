import qrcode from 'qrcode';
import type { QrFormat } from './activations.dto.js';

const SCALE = 8;

/** What the QR code of an activation says: all that a device needs to get its token, and to connect. */
export interface QrContent {
  readonly brokerUrl: string;
  readonly deviceId: string;
  readonly code: string;
  readonly activateUrl: string;
}

/** Short names: what is in it decides how large a QR code is. */
export function qrText({ brokerUrl, deviceId, code, activateUrl }: QrContent): string {
  return JSON.stringify({ v: 1, b: brokerUrl, d: deviceId, c: code, u: activateUrl });
}

export async function qrImage(text: string, format: QrFormat): Promise<{ type: string; data: Buffer }> {
  return format === 'png'
    ? { type: 'image/png', data: await qrcode.toBuffer(text, { type: 'png', scale: SCALE }) }
    : { type: 'image/svg+xml', data: Buffer.from(await qrcode.toString(text, { type: 'svg' })) };
}

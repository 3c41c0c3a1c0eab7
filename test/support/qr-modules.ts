import { createRequire } from 'node:module';
import qrcode from 'qrcode';

/** Light modules around a QR code, as its standard asks for. */
const QUIET_ZONE = 4;
const RGBA = 4;

interface Pixels {
  readonly width: number;
  readonly data: Buffer;
}

/** What reads PNG comes with what writes it. */
const { PNG } = createRequire(createRequire(import.meta.url).resolve('qrcode'))('pngjs') as {
  PNG: { sync: { read(png: Buffer): Pixels } };
};

/** The modules of the QR code that says a text, a line for each row: `#` is dark. */
export function modulesOfText(text: string): string {
  const { modules } = qrcode.create(text, {});
  return drawn(modules.size, (row, column) => modules.get(row, column) !== 0);
}

/** The modules that a PNG shows. */
export function modulesOfPng(png: Buffer): string {
  const { width, data } = PNG.sync.read(png);
  const isDark = (x: number, y: number): boolean => (data[(y * width + x) * RGBA] ?? 0) < 128;
  // The corner of the first finder pattern is where the quiet zone ends, on the diagonal.
  const corner = Array.from({ length: width }, (_, at) => at).find((at) => isDark(at, at)) ?? 0;
  const scale = corner / QUIET_ZONE;
  const middle = (module: number): number => Math.floor(corner + (module + 0.5) * scale);
  return drawn(width / scale - 2 * QUIET_ZONE, (row, column) => isDark(middle(column), middle(row)));
}

/** The modules that an SVG shows: strokes to the right, one module high. */
export function modulesOfSvg(svg: string): string {
  const size = Number(/viewBox="0 0 (\d+) \1"/.exec(svg)?.[1]) - 2 * QUIET_ZONE;
  const strokes = /stroke="#000000" d="([^"]+)"/.exec(svg)?.[1] ?? '';
  const dark = new Set<string>();
  let [x, y] = [0, 0];
  for (const [, command, first, second] of strokes.matchAll(/([Mmh])(-?[\d.]+)(?: (-?[\d.]+))?/g)) {
    const [by, down] = [Number(first), Number(second)];
    if (command === 'h') {
      for (const end = x + by; x < end; x += 1) {
        dark.add(`${String(y - 0.5 - QUIET_ZONE)} ${String(x - QUIET_ZONE)}`);
      }
    } else {
      [x, y] = command === 'M' ? [by, down] : [x + by, y + down];
    }
  }
  return drawn(size, (row, column) => dark.has(`${String(row)} ${String(column)}`));
}

function drawn(size: number, isDark: (row: number, column: number) => boolean): string {
  const places = Array.from({ length: size }, (_, place) => place);
  return places.map((row) => places.map((column) => (isDark(row, column) ? '#' : ' ')).join('')).join('\n');
}

import { describe, expect, it } from '@jest/globals';
import { deviceName } from './device-name.js';

describe('the name of a device', () => {
  it.each([
    ['Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:140.0) Gecko/20100101 Firefox/140.0', 'Firefox on Windows'],
    [
      'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605 (KHTML, like Gecko) Version/18 Safari/605',
      'Safari on iPhone',
    ],
    ['Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15) AppleWebKit/537 Chrome/140 Safari/537 Edg/140', 'Edge on macOS'],
    [
      'Mozilla/5.0 (Linux; Android 14; SM-S921B) AppleWebKit/537.36 SamsungBrowser/25.0 Chrome/121.0 Mobile Safari/537.36',
      'Samsung Internet on Android',
    ],
    ['Mozilla/5.0 (iPad; CPU OS 17_0 like Mac OS X) AppleWebKit/605.1 CriOS/121 Mobile Safari/604', 'Chrome on iPad'],
    ['Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537 Chrome/120 Safari/537 Vivaldi/6.5', 'Vivaldi on Linux'],
    ['Foo Bar<img>/1.0 (Windows NT 10.0)', 'Windows'],
    ['evil <b>/1.0 x', 'Unknown device'],
    ['MortiseApp/2.1 (Android 16)', 'Mortise app on Android'],
    ['Mozilla/5.0 (X11; Linux x86_64)', 'Linux'],
    ['Mortise/1', 'Mortise app'],
    ['curl/8.5.0', 'curl'],
    ['jest', 'jest'],
    ['<script>alert(1)</script>', 'Unknown device'],
    ['', 'Unknown device'],
    [null, 'Unknown device'],
  ])('behind %p is %p', (userAgent, name) => {
    expect(deviceName(userAgent)).toBe(name);
  });
});

import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { packDevice, readDevice, unpackDevice } from './device.ts'

describe('a device', () => {
  test('is known by browser and system, and by nothing finer', () => {
    const mozilla = 'Mozilla/5.0'
    const seen: Record<string, string> = {
      [`${mozilla} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36`]:
        'Chrome/Windows',
      [`${mozilla} (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36 Edg/142.0.0.0`]:
        'Edge/Windows',
      [`${mozilla} (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0`]: 'Firefox/Windows',
      [`${mozilla} (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Safari/605.1.15`]:
        'Safari/Mac',
      [`${mozilla} (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/26.0 Mobile/15E148 Safari/604.1`]:
        'Safari/iPhone',
      [`${mozilla} (iPad; CPU OS 17_7 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/142.0 Mobile/15E148 Safari/604.1`]:
        'Chrome/iPad',
      [`${mozilla} (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/29.0 Chrome/136.0.0.0 Mobile Safari/537.36`]:
        'Samsung Internet/Android',
      [`${mozilla} (X11; CrOS x86_64 14541.0.0) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36`]:
        'Chrome/ChromeOS',
      [`${mozilla} (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0`]: 'Firefox/Linux',
      'curl/8.5.0': '/',
      '': '/',
    }
    for (const [userAgent, expected] of Object.entries(seen)) {
      const device = readDevice(userAgent)
      assert.equal(packDevice(device), expected)
      assert.deepEqual(unpackDevice(expected), device)
    }
    assert.deepEqual(unpackDevice(null), { browser: undefined, system: undefined })
  })
})

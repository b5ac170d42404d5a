// The first that fits: most browsers say that they are another one too.
const browsers: readonly [RegExp, string][] = [
  [/\bEdg(?:e|A|iOS)?\//, 'Edge'],
  [/\b(?:OPR|Opera|OPiOS)\//, 'Opera'],
  [/\bSamsungBrowser\//, 'Samsung Internet'],
  [/\b(?:Firefox|FxiOS)\//, 'Firefox'],
  [/\b(?:HeadlessChrome|Chrome|Chromium|CriOS)\//, 'Chrome'],
  [/\bVersion\/.*\bSafari\//, 'Safari'],
]
const systems: readonly [RegExp, string][] = [
  [/\biPhone\b/, 'iPhone'],
  [/\biPad\b/, 'iPad'],
  [/\bAndroid\b/, 'Android'],
  [/\bWindows\b/, 'Windows'],
  [/\bMac OS X\b|\bMacintosh\b/, 'Mac'],
  [/\bCrOS\b/, 'ChromeOS'],
  [/\bLinux\b/, 'Linux'],
]

/** What a session is known by to its owner. Nothing finer is kept: a whole User-Agent would be a way to know somebody again. */
export type Device = { browser: string | undefined; system: string | undefined }

export function readDevice(userAgent = ''): Device {
  const nameIn = (among: typeof browsers) => among.find(([pattern]) => pattern.test(userAgent))?.[1]
  return { browser: nameIn(browsers), system: nameIn(systems) }
}

/** As the session keeps it. */
export function packDevice({ browser = '', system = '' }: Device): string {
  return `${browser}/${system}`
}

export function unpackDevice(packed: string | null): Device {
  const [browser, system] = (packed ?? '').split('/')
  return { browser: browser || undefined, system: system || undefined }
}

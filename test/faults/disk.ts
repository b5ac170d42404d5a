import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import path from 'node:path'

/** A file system in a file, which can be full and can lose its power. Only root can have one. */
export type FaultDisk = {
  folder: string
  /** Takes up what is left, but for some bytes. */
  fill: () => void
  free: () => void
  /** As when the power goes: what was not written to the disk for good is lost. Everything that has files open there must be ended then, before `mount`. */
  cutPower: () => void
  mount: () => void
  remove: () => void
}

const megabytes = 700
/** EXT4_IOC_SHUTDOWN of Linux (fs/ext4/ext4.h), without flushing anything, journal included. */
const shutdownRequest = 0x8004587d
const noFlush = 2

const commandMs = 60_000
const run = (program: string, ...words: string[]) => execFileSync(program, words, { timeout: commandMs })

/** Why there can be none here, in words; undefined where there can. */
export function whyNoDisk(): string | undefined {
  if (process.getuid?.() !== 0) return 'only root can make a file system'
  for (const program of ['losetup', 'mkfs.ext4', 'mount', 'perl']) {
    if (spawnSync('sh', ['-c', `command -v ${program}`]).status !== 0) return `${program} is not there`
  }
  return undefined
}

export function makeDisk(folder: string): FaultDisk {
  const [image, mounted] = [path.join(folder, 'disk.img'), path.join(folder, 'disk')]
  mkdirSync(mounted, { recursive: true })
  run('truncate', '-s', `${megabytes}M`, image)
  run('mkfs.ext4', '-q', '-F', image)
  const mount = () => {
    run('mount', '-o', 'loop', image, mounted)
  }
  mount()
  return {
    folder: mounted,
    fill: () => {
      const { bavail, bsize } = statfsSync(mounted)
      run('fallocate', '-l', String(Math.max(bsize, bavail * bsize - 64 * 1024)), path.join(mounted, 'filler'))
      // What is still left between.
      try {
        writeFileSync(path.join(mounted, 'filler-2'), Buffer.alloc(bavail * bsize > 0 ? 128 * 1024 : 0))
      } catch {
        // Full, as it should be.
      }
    },
    free: () => {
      for (const name of ['filler', 'filler-2']) rmSync(path.join(mounted, name), { force: true })
    },
    cutPower: () => {
      const shutDown = `open(D, "<", $ARGV[0]) or die; my $how = pack("L", ${noFlush}); ioctl(D, ${shutdownRequest}, $how) or die "$!"`
      run('perl', '-e', shutDown, mounted)
    },
    mount: () => {
      run('umount', mounted)
      spawnSync('e2fsck', ['-p', image], { timeout: commandMs })
      mount()
    },
    remove: () => {
      spawnSync('umount', ['-l', mounted], { timeout: commandMs })
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

/** Where a letter is that nobody has put elsewhere; and what every mailbox has beside it. An own folder goes by its id. */
export const fixedFolders = ['inbox', 'archive', 'bin'] as const
export type FixedFolder = (typeof fixedFolders)[number]

export type OwnFolder = { id: string; parentId: string | null; name: string }
/** `depth` is 0 at the top; `path` has the names from the top down to its own. */
export type FolderInTree = OwnFolder & { depth: number; path: readonly string[] }

export const foldersMax = 200
/** How many folders may stand in each other. */
export const levelsMax = 5
export const folderNameMax = 60

/** Why a folder cannot be made or changed so. */
export type FolderRefusal =
  | 'name-missing'
  | 'name-too-long'
  | 'name-taken'
  | 'too-many'
  | 'too-deep'
  | 'in-itself'
  | 'parent-gone'
  | 'changed'

export function isFixed(folder: string): folder is FixedFolder {
  return (fixedFolders as readonly string[]).includes(folder)
}

/** A name on one line, as it is kept: any character but those that are not seen, or turn the line about. */
export function toFolderName(text: string): string {
  return text
    .toWellFormed()
    .normalize('NFC')
    .replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ')
    .replaceAll(/[\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff]+/gu, '')
    .replaceAll(/\s+/gu, ' ')
    .trim()
}

/** People count what they see as one character as one. */
const characters = new Intl.Segmenter('en', { granularity: 'grapheme' })
const lengthOf = (name: string) => [...characters.segment(name)].length
const inAnyCase = (name: string) => name.toLocaleLowerCase('en')
const collator = new Intl.Collator('en', { numeric: true })

/** In the order in which they are shown: each under the one that it stands in. One whose parent is not there stands at the top. */
export function toTree(folders: readonly OwnFolder[]): FolderInTree[] {
  const ids = new Set(folders.map(({ id }) => id))
  const children = Map.groupBy(
    [...folders].sort((a, b) => collator.compare(a.name, b.name) || (a.id < b.id ? -1 : 1)),
    ({ parentId }) => (parentId !== null && ids.has(parentId) ? parentId : null),
  )
  const tree: FolderInTree[] = []
  const add = (parentId: string | null, depth: number, path: readonly string[]) => {
    for (const folder of children.get(parentId) ?? []) {
      const whole = [...path, folder.name]
      tree.push({ ...folder, depth, path: whole })
      add(folder.id, depth + 1, whole)
    }
  }
  add(null, 0, [])
  return tree
}

/** A folder and all that stand in it. */
export function withThoseInside(tree: readonly FolderInTree[], id: string): FolderInTree[] {
  const at = tree.findIndex((folder) => folder.id === id)
  if (at < 0) return []
  const end = tree.findIndex((folder, place) => place > at && folder.depth <= tree[at]!.depth)
  return tree.slice(at, end < 0 ? undefined : end)
}

/** Whether a folder may have this name and place: a new one, or that with `id`. */
export function refuseFolder(
  folders: readonly OwnFolder[],
  { id, name, parentId }: { id?: string | undefined; name: string; parentId: string | null },
): FolderRefusal | undefined {
  if (name === '') return 'name-missing'
  if (lengthOf(name) > folderNameMax || name.length > folderNameMax * 10) return 'name-too-long'
  if (id === undefined && folders.length >= foldersMax) return 'too-many'
  const tree = toTree(folders)
  const parent = tree.find((folder) => folder.id === parentId)
  if (parentId !== null && parent === undefined) return 'parent-gone'
  const moved = id === undefined ? [] : withThoseInside(tree, id)
  if (moved.some((folder) => folder.id === parentId)) return 'in-itself'
  const levelsBelow = moved.length > 0 ? Math.max(...moved.map(({ depth }) => depth)) - moved[0]!.depth : 0
  if ((parent ? parent.depth + 1 : 0) + levelsBelow >= levelsMax) return 'too-deep'
  const isSame = (other: OwnFolder) => other.id !== id && other.parentId === parentId && inAnyCase(other.name) === inAnyCase(name)
  return folders.some(isSame) ? 'name-taken' : undefined
}

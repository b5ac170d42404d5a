import type { Db } from '../database/connect.ts'
import type { Tile, TileName } from './tile.ts'

/** Tiles as they are now: as wide as asked for, or wider. Of a log that has them; call it in the scope of evidence. */
export async function readTiles(sql: Db, names: readonly TileName[]): Promise<Tile[]> {
  if (names.length === 0) return []
  const rows = await sql<{ level: number; index: string; bytes: Buffer }[]>`
    select level, index, bytes from log_tile
    join unnest(${names.map(({ level }) => level)}::smallint[], ${names.map(({ index }) => index)}::bigint[]) as needed (level, index)
      using (level, index)`
  return rows.map(({ level, index, bytes }) => ({ level, index: Number(index), bytes }))
}

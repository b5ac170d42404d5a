import type { Db, Fragment } from './connect.ts'

let areDropped = false

/**
 * The application's own condition of a query on what is somebody's: the first of two locks, the database's row-level security
 * being the second. Every such condition stands in here, so that a test can take the first lock away and see that the second
 * holds alone.
 */
export function own(db: Db, condition: Fragment): Fragment {
  return areDropped ? db`true` : condition
}

/** For tests only: from now on, until the answer is called, the database alone decides what is seen. */
export function dropOwnConditions(): () => void {
  areDropped = true
  return () => {
    areDropped = false
  }
}

// Long stretches in which nothing happens are folded, so that what happens has room: which they are, and where a moment is then.

/** Shorter ones, in seconds, are never folded. */
const LONG = 1;
/** Nor are those that are less than such a part of what is left, or not so many times as long as others are. */
const SHARE = 0.15;
const TIMES = 20;
const MOST = 30;
const SAMPLED = 1000;
/** So wide, in pixels, is one that is folded; and what lies between them at least. */
export const FOLD = 44;
const LEAST = 10;

/**
 * The stretches from one event to the next that are folded, in order.
 * @param {ArrayLike<number>} times When the events were, in order.
 * @returns {[number, number][]}
 */
export function idle(times) {
  if (times.length < 2) return [];
  /** @type {[number, number][]} */
  const long = [];
  for (let i = 1; i < times.length; i++) if (times[i] - times[i - 1] >= LONG) long.push([times[i - 1], times[i]]);
  const each = Math.max(1, Math.floor(times.length / SAMPLED));
  const gaps = [];
  for (let i = 1; i < times.length; i += each) gaps.push(times[i] - times[i - 1]);
  const usual = gaps.sort((a, b) => a - b)[gaps.length >> 1];
  let left = times[times.length - 1] - times[0];
  /** @type {[number, number][]} */
  const folded = [];
  for (const [from, to] of long.sort((a, b) => b[1] - b[0] - (a[1] - a[0]) || a[0] - b[0])) {
    if (folded.length === MOST || to - from < SHARE * left || to - from < TIMES * usual) break;
    folded.push([from, to]);
    left -= to - from;
  }
  return folded.sort((a, b) => a[0] - b[0]);
}

/** Moments from one to another, from left to right in so many pixels; what is folded is narrow, whatever it lasted. */
export class Scale {
  /** @param {number} begin @param {number} end @param {[number, number][]} folds @param {number} width */
  constructor(begin, end, folds, width) {
    const open = end - begin - folds.reduce((sum, [from, to]) => sum + to - from, 0);
    const least = Math.min(LEAST, width / (3 * folds.length + 3));
    const narrow = open > 0 ? Math.min(FOLD, width / (2 * folds.length + 1)) : (width - (folds.length + 1) * least) / folds.length;
    const free = Math.max(0, width - folds.length * narrow - (folds.length + 1) * least);
    /** Pieces: from and to in time, from and to in pixels, and whether it is folded. @type {{from: number, to: number, left: number, right: number, folded: boolean}[]} */
    this.pieces = [];
    let [at, left] = [begin, 0];
    const add = (/** @type {number} */ to, /** @type {number} */ wide, /** @type {boolean} */ folded) => {
      this.pieces.push({ from: at, to, left, right: left + wide, folded });
      [at, left] = [to, left + wide];
    };
    for (const [from, to] of folds) {
      add(from, least + (open > 0 ? (free * (from - at)) / open : 0), false);
      add(to, narrow, true);
    }
    add(end, Math.max(0, width - left), false);
  }

  /** Where a moment is. @param {number} clock */
  x(clock) {
    const piece = this.pieces.find((each) => clock <= each.to) || this.pieces[this.pieces.length - 1];
    const long = piece.to - piece.from;
    return piece.left + (long > 0 ? Math.max(0, Math.min(1, (clock - piece.from) / long)) : 0) * (piece.right - piece.left);
  }

  /** The moment at a place. @param {number} x */
  clock(x) {
    const piece = this.pieces.find((each) => x <= each.right) || this.pieces[this.pieces.length - 1];
    const wide = piece.right - piece.left;
    return piece.from + (wide > 0 ? Math.max(0, Math.min(1, (x - piece.left) / wide)) : 0) * (piece.to - piece.from);
  }

  /** What of it is folded. */
  folds() { return this.pieces.filter((each) => each.folded); }
}

/** So many seconds, in words. @param {number} seconds */
export function lasting(seconds) {
  for (const [size, unit] of /** @type {[number, string][]} */ ([[86400, 'd'], [3600, 'h'], [60, 'min']])) if (seconds >= size) return `${Number((seconds / size).toFixed(1))} ${unit}`;
  return `${Number(seconds.toFixed(seconds < 1 ? 3 : 1))} s`;
}

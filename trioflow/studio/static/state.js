// The state of the run, and what a delta makes of it: the same as `fold` in trioflow/studio/frames.py.

const BY_PLACE = new Set(['counts', 'failed', 'flow', 'heat', 'outcomes', 'policies', 'progress']);
const MOST_MESSAGES = 200;

/** @param {any} state @param {any} delta */
export function fold(state, delta) {
  const found = { ...state };
  for (const [key, value] of Object.entries(delta)) {
    if (BY_PLACE.has(key)) found[key] = Object.assign({}, found[key], value);
    else if (key === 'messages') found[key] = [...found[key], ...value].slice(-MOST_MESSAGES);
    else found[key] = value;
  }
  return found;
}

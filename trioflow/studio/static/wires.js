// The way of a wire: level at each point, and round where one is above another; as in trioflow/formats/svg.py.

/**
 * Add the way of a wire to a path, or the pieces of it that are wanted.
 * @param {[number, number][]} points
 * @param {Path2D} path
 * @param {(piece: number) => boolean} [wants]
 */
export function trace(points, path, wants) {
  let [x, y] = points[0];
  let way = 1;
  path.moveTo(x, y);
  for (let piece = 0; piece < points.length - 1; piece++) {
    const [toX, toY] = points[piece + 1];
    let control = (x + toX) / 2;
    if (toX === x) {
      control = x + way * Math.min(28, 12 + Math.abs(toY - y) / 4);
      way = -way;
    }
    if (wants && !wants(piece)) path.moveTo(toX, toY);
    else if (toY === y) path.lineTo(toX, toY);
    else path.bezierCurveTo(control, y, control, toY, toX, toY);
    [x, y] = [toX, toY];
  }
  return path;
}

/**
 * The pieces of wires as numbers: those that several wires share have the same one, as an output does that leads to many, whose
 * wires have a trunk. Of wires that share none there is nothing.
 * @param {{points: [number, number][]}[]} wires
 * @returns {(number[] | null)[]}
 */
export function pieces(wires) {
  /** @type {Map<string, number>} */
  const known = new Map();
  return wires.map(({ points }) => {
    if (points.length < 3) return null;
    const found = [];
    for (let piece = 0; piece < points.length - 1; piece++) {
      const key = `${points[piece]} ${points[piece + 1]}`;
      let number = known.get(key);
      if (number === undefined) known.set(key, (number = known.size));
      found.push(number);
    }
    return found;
  });
}

/** The rectangle that a wire stays in. @param {[number, number][]} points */
export function bounds(points) {
  let [left, top, right, bottom] = [Infinity, Infinity, -Infinity, -Infinity];
  for (const [x, y] of points) {
    if (x < left) left = x;
    if (x > right) right = x;
    if (y < top) top = y;
    if (y > bottom) bottom = y;
  }
  return [left - 30, top - 4, right + 30, bottom + 4];
}

const KINDS = { bool: 'bool', int: 'int', float: 'float', str: 'str', path: 'str', bytes: 'bytes', list: 'list', set: 'list', tuple: 'list', dict: 'dict', date: 'date', datetime: 'date', duration: 'date' };

/** The colour of a wire or pin, as the name of a property of the style sheet. @param {{control: boolean, type: string}} what */
export function colour(what) {
  if (what.control) return '--control';
  const first = what.type.split(/[^a-z]/)[0];
  return `--t-${KINDS[/** @type {keyof typeof KINDS} */ (first)] || 'any'}`;
}

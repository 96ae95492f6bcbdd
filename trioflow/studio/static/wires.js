// The way of a wire: level at each point, and round where one is above another; as in trioflow/formats/svg.py.

/** @param {[number, number][]} points @param {Path2D} path */
export function trace(points, path) {
  let [x, y] = points[0];
  let way = 1;
  path.moveTo(x, y);
  for (const [toX, toY] of points.slice(1)) {
    let control = (x + toX) / 2;
    if (toX === x) {
      control = x + way * Math.min(28, 12 + Math.abs(toY - y) / 4);
      way = -way;
    }
    if (toY === y) path.lineTo(toX, toY);
    else path.bezierCurveTo(control, y, control, toY, toX, toY);
    [x, y] = [toX, toY];
  }
  return path;
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

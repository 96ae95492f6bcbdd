// The data graphs of the question `data`, as tables: by name of a node, the names of the nodes that it uses.
// None: the value 1; one: it and 1; two: the greater, and 1. The same as benchmarks/lib/data_graphs.py.

export function chain(size) {
  const table = new Map([["n0", []]]);
  for (let number = 1; number < size; number++) table.set(`n${number}`, [`n${number - 1}`]);
  return { table, wanted: `n${size - 1}`, value: size };
}

export function diamonds(size) {
  const table = new Map([["d0", []]]);
  const count = Math.floor(size / 3);
  for (let number = 0; number < count; number++) {
    table.set(`l${number}`, [`d${number}`]);
    table.set(`r${number}`, [`d${number}`]);
    table.set(`d${number + 1}`, [`l${number}`, `r${number}`]);
  }
  return { table, wanted: `d${count}`, value: 1 + 2 * count };
}

export function layers(size) {
  const table = new Map();
  const count = Math.floor(size / 10);
  for (let place = 0; place < 10; place++) table.set(`n0_${place}`, []);
  for (let layer = 1; layer < count; layer++)
    for (let place = 0; place < 10; place++)
      table.set(`n${layer}_${place}`, [`n${layer - 1}_${place}`, `n${layer - 1}_${(place + 9) % 10}`]);
  const wanted = Array.from({ length: 10 }, (_, place) => `n${count - 1}_${place}`);
  return { table, wanted, value: count };
}

// The first leaf uses "changing", which is not in the table.
export function tree(size) {
  const table = new Map([["leaf0", ["changing"]]]);
  for (let number = 1; number < size; number++) table.set(`leaf${number}`, []);
  let layer = [...table.keys()];
  for (let names = 0; layer.length > 1; ) {
    const above = [];
    for (let start = 0; start < layer.length; start += 2) {
      above.push(`t${names++}`);
      table.set(above.at(-1), layer.slice(start, start + 2));
    }
    layer = above;
  }
  return { table, wanted: layer[0] };
}

export function wide(size) {
  const table = new Map([["n0", []]]);
  for (let number = 1; number < size; number++) table.set(`n${number}`, ["n0"]);
  return table;
}

export function compute(values) {
  return values.length === 0 ? 1 : Math.max(...values) + 1;
}

// Inputs at once: what is evaluated before its turn is, and nobody sees it until then (D12 in rules/data.md).

import { UNSET } from "./store.mjs";
import { SHIELD, Scope, wakeAll } from "./strand.mjs";

/** Whether at least two eager inputs come from different data nodes. */
export const atOnce = (node) => new Set(upstream(node)).size > 1;

const upstream = ({ eager }) => eager.map(({ source }) => source?.node).filter((node) => node?.data);

// The data nodes behind the eager inputs of a node, at any distance, in the order in which they are demanded.
function behind(node) {
  const found = new Set();
  const seen = new Set([node]);
  const stack = [[node, upstream(node)]];
  while (stack.length) {
    const [current, sources] = stack.at(-1);
    const source = sources.shift();
    if (!source) found.add(stack.pop()[0]);
    else if (!seen.has(source)) stack.push([source, upstream(source)]);
    seen.add(source ?? current);
  }
  found.delete(node);
  return [...found];
}

/** The cell that an input or a variable has; nothing if a data node would have to be asked. */
export function atHand({ node, source, key, fallback }, { store }) {
  if (!node) return store.read(key); // a variable
  if (source?.node.data) return undefined;
  return (source && store.read(source.key)) ?? fallback;
}

/** What runs ahead while the eager inputs of one node are waited for. */
export class Ahead {
  #begun = new Set(); // those that run
  #waiting = new Set();

  constructor(data, activation, node) {
    Object.assign(this, { data, activation, nodes: behind(node), scope: new Scope(activation.scope) });
  }

  /** Resolves the inputs. Afterwards what was begun ahead and nobody has taken up is cancelled and forgotten. */
  async hold(resolve) {
    this.activation.ahead = this;
    try {
      return await resolve();
    } finally {
      this.activation.ahead = null;
      this.data.forget(this);
      this.scope.cancel();
      while (this.#begun.size) await this.data.run.scheduler.wait(SHIELD, this.#waiting);
      this.scope.leave();
    }
  }

  /** Begins what can be begun now, in the order in which it will be demanded. */
  look() {
    if (this.scope.cancelled) return;
    const there = new Map();
    for (const node of this.nodes) there.set(node, this.#find(node, there));
  }

  // The evaluation of a node that is there without running anything; if there is none it may be begun.
  #find(node, there) {
    const { data, activation } = this;
    const given = new Map();
    for (const input of node.eager) {
      const { source, fallback } = input;
      const isData = source?.node.data;
      if (isData && !there.get(source.node)) return null;
      const cell = isData ? (there.get(source.node).outputs.get(source.name) ?? fallback) : atHand(input, activation);
      if (cell === UNSET) return null;
      given.set(input, cell);
    }
    const place = data.place(node, given, activation);
    let last = place;
    while (!last.evaluation && last.slot) {
      const cell = atHand(last.slot, activation);
      if (!cell) return null;
      last = last.at(cell);
    }
    if (last.evaluation) return last.evaluation;
    const { ahead } = place;
    if (ahead) return ahead.ahead === this && ahead.ended && !ahead.failure ? ahead : null;
    if (!place.running && data.mayBegin()) this.#begin(data.begin(this, node, given, place));
    return null;
  }

  #begin(evaluation) {
    const { scheduler } = this.data.run;
    const { activation, node, scope } = evaluation;
    this.#begun.add(evaluation);
    scheduler.start(async () => {
      let cut = false;
      try {
        await scheduler.park(scope, "a", activation.path, node.id);
        await evaluation.work();
      } catch { // it never fails otherwise
        cut = true;
      }
      evaluation.ended = true;
      this.#begun.delete(evaluation);
      this.data.ended(evaluation, cut);
      scope.leave();
      wakeAll(evaluation.waiting);
      wakeAll(this.#waiting);
      if (!cut && !evaluation.told) this.look();
    });
  }
}

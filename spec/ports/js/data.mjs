// How an input gets its value: data nodes are evaluated when they are asked, shared, remembered (rules/data.md).

import { Failure } from "./failure.mjs";
import { coerce } from "./graph.mjs";
import { Cancelled } from "./schedule.mjs";
import { Cell, FAILED, UNSET, digest } from "./store.mjs";

/** What the body of any node sees. All methods that return promises are cancellation points. */
export class Body {
  constructor(run, node) {
    this.run = run;
    this.node = node;
  }

  /** The value of an input; `tryGet` gives its second argument if the input is unset. */
  get(name) { return this.tryGet(name); }

  /** The ticks since the run began. */
  now() { return this.run.scheduler.now; }
  sleep(ticks) { return this.run.scheduler.sleep(this.activation.scope, ticks, this.activation.path, this.node.id); }

  /** Waits for a promise that is not the engine's; other strands go on meanwhile. */
  wait(promise) { return this.run.scheduler.outside(this.activation.scope, promise); }
}

/** One execution of a data node, what its body sees, and what is remembered of it (D4, D5, D8). */
class Evaluation extends Body {
  outputs = new Map();
  questions = []; // lazy inputs and variables, in the order in which the body asked: {slot, cell}
  waiting = null; // those who wait for it
  failure = null;
  #given;
  #depth;

  constructor(run, node, given, activation, depth) {
    super(run, node);
    this.activation = activation; // for which it is made
    this.#given = given;
    this.#depth = depth;
  }

  async tryGet(name, ...instead) {
    this.activation.scope.check();
    const input = this.node.input(name);
    return this.run.data.given(input, input.lazy ? await this.#ask(input) : this.#at(input), instead);
  }

  #at(input) { return this.#given.get(input) ?? input.fallback; }

  async #ask(slot) {
    const question = { slot, cell: FAILED };
    this.questions.push(question);
    try {
      return (question.cell = await this.run.data.resolve(slot, this.activation, this.#depth + 1));
    } catch (error) {
      this.run.data.caught = true;
      throw error;
    }
  }

  getVar(name) {
    const slot = this.run.graph.variable(name);
    const cell = this.activation.store.read(slot.key);
    this.questions.push({ slot, cell });
    return cell.value;
  }

  set(name, value) {
    this.node.output(name);
    this.outputs.set(name, new Cell(value));
  }

  /** Whether no question failed: a failure has no version, so nobody could tell whether it still holds. */
  get answered() { return this.questions.every(({ cell }) => cell !== FAILED); }

  /** Its name (INTERPRETING 7). */
  key(moment) {
    const inputs = this.node.inputs.map((input) => (input.lazy ? "lazy" : this.#at(input).origin));
    const origins = [...inputs, ...(moment ? [moment.origin] : []), ...this.questions.map(({ cell }) => cell.origin)];
    return `${this.node.id}#${digest(origins)}`;
  }

  /** Ends it: the cells that it made stay, what it was made of and for is forgotten. */
  close(key) {
    if (key) for (const [name, cell] of this.outputs) cell.origin = `${key}.${name}`;
    this.activation = this.#given = null;
    if (!this.failure) this.questions = null;
  }
}

for (const effect of ["trigger", "emit", "join", "failures", "branches", "publish", "setVar", "getState", "setState", "feedback", "payload", "entered", "within"]) {
  Object.defineProperty(Evaluation.prototype, effect, {
    get() {
      throw new Failure("data-node-effect", `${this.node.id} is a data node and has no effects: it cannot use ${effect}`); // D8
    },
  });
}

/** Remembered evaluations of a node: one place for each series of cells.
 *
 * Cells are held weakly. Once no store and no evaluation knows a cell any more, what was made of it is forgotten.
 */
class Memory {
  #next = null;
  slot = null; // the next question of those remembered below this place
  evaluation = null; // the one that has no further question
  running = null; // the one that is in progress with these eager cells

  at(cell) { return this.#next?.get(cell); }

  make(cell) {
    let place = this.at(cell);
    if (!place) (this.#next ??= new WeakMap()).set(cell, (place = new Memory()));
    return place;
  }

  remember(evaluation) {
    let place = this;
    for (const { slot, cell } of evaluation.questions) {
      place.slot = slot;
      place = place.make(cell);
    }
    place.evaluation = evaluation;
  }
}

/** How the inputs of a run's nodes get their values. */
export class Demands {
  caught = false; // a question has failed: from then on no answer is taken for granted
  #memory = new Map();

  constructor(run) { this.run = run; }

  /** The cell that an input has now (D1-D3). */
  async resolve(input, activation, depth = 0) {
    const { source } = input;
    let cell;
    if (source?.node.data) cell = (await this.#demand(source.node, activation, depth)).outputs.get(source.name);
    else if (source) cell = activation.store.read(source.key);
    return cell ?? input.fallback ?? UNSET;
  }

  need(input, cell) {
    if (cell !== UNSET) return cell;
    const { node, name, source } = input;
    const from = source ? `, and ${source.node.id}.${source.name} has not been written` : "";
    throw new Failure("missing-input", `input ${name} of ${node.id} has no value: nothing is given for it${from}`);
  }

  /** The value of a cell as a body gets it (D11), or what it gets instead of none. */
  given(input, cell, [instead]) {
    if (cell === UNSET && instead !== undefined) return instead;
    this.need(input, cell);
    return cell === input.fallback ? cell.value : coerce(cell.value, input);
  }

  // D4, D5: the evaluation that answers for the node: found, awaited, or made.
  async #demand(node, activation, depth) {
    const { store } = activation;
    if (depth % 64 === 63) await null; // unwinds the call stack: chains of data nodes may be of any length (D10)
    if (store.known?.activation !== activation) store.known = { activation, evaluations: new Map() };
    const known = store.known.evaluations.get(node);
    if (known) return known;
    let place = this.#memory.get(node);
    if (!place) this.#memory.set(node, (place = new Memory()));
    const given = new Map();
    for (const input of node.eager) {
      const cell = this.need(input, await this.resolve(input, activation, depth + 1));
      if (!input.source) continue; // always the same cell
      given.set(input, cell);
      place = place.make(cell);
    }
    const moment = node.type.volatile ? activation : null; // D6
    if (moment) place = place.make(moment);
    let evaluation = await this.#look(place, activation, depth);
    for (let parked = false; !evaluation; parked = true) {
      const { running } = place;
      if (parked && !running) {
        evaluation = await this.#evaluate(node, given, place, moment, activation, depth);
        break;
      }
      if (running) {
        await this.run.scheduler.block(activation.scope, (sleeper) => {
          (running.waiting ??= new Set()).add(sleeper);
          return () => running.waiting.delete(sleeper);
        });
      }
      await this.run.scheduler.park(activation.scope, "e", activation.path, node.id);
      if (running?.failure && (await this.#sameAnswers(running, activation, depth))) throw running.failure;
      evaluation = await this.#look(place, activation, depth);
    }
    if (!this.caught) store.known?.evaluations.set(node, evaluation);
    return evaluation;
  }

  // Finds the remembered evaluation whose questions still have the same answers.
  async #look(place, activation, depth) {
    while (place && !place.evaluation && place.slot) place = place.at(await this.#answer(place.slot, activation, depth));
    return place?.evaluation;
  }

  async #sameAnswers({ questions }, activation, depth) {
    for (const { slot, cell } of questions) if ((await this.#answer(slot, activation, depth)) !== cell) return false;
    return true;
  }

  // The cell that answers a question now; none if that fails.
  async #answer(slot, activation, depth) {
    try {
      return slot.node ? await this.resolve(slot, activation, depth + 1) : activation.store.read(slot.key);
    } catch (error) {
      if (error instanceof Cancelled) throw error;
    }
  }

  async #evaluate(node, given, place, moment, activation, depth) {
    const { path } = activation;
    const evaluation = new Evaluation(this.run, node, given, activation, depth);
    place.running = evaluation;
    this.run.tell("evaluating", path, { node: node.id });
    let key = null;
    try {
      await node.type.run(evaluation);
      key = this.run.named ? evaluation.key(moment) : null;
      if (evaluation.answered) place.remember(evaluation);
      this.run.tell("evaluated", path, { node: node.id, key });
      return evaluation;
    } catch (error) {
      this.run.tell("unevaluated", path, { node: node.id });
      if (!(error instanceof Cancelled)) {
        evaluation.failure = error;
        this.run.origin(error, path);
      }
      throw error;
    } finally {
      place.running = null;
      evaluation.close(key);
      for (const sleeper of evaluation.waiting ?? []) sleeper.wake();
    }
  }
}

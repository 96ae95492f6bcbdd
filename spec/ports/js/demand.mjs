// How an input gets its value: data nodes are evaluated when they are asked, shared, remembered (rules/data.md).

import { Cancelled, Failure } from "./failure.mjs";
import { Cell, FAILED, UNSET, digest } from "./store.mjs";
import { wakeAll } from "./strand.mjs";

/** What the body of any node sees. Whatever gives a promise is a cancellation point (R5). */
export class Body {
  constructor(run, node) {
    this.run = run;
    this.node = node;
  }

  /** The value of an input. */
  get(name) { return this.tryGet(name); }

  /** The same; or the second argument, if there is one and the input is unset (D1). */
  async tryGet(name, ...instead) {
    this.activation.scope.check();
    const input = this.node.input(name);
    const cell = await this.resolve(input);
    return cell === UNSET && instead.length ? instead[0] : input.take(cell);
  }

  getVar(name) { return this.read(this.run.graph.variable(name)).value; }

  /** The ticks since the run began. */
  now() { return this.run.scheduler.now; }
  sleep(ticks) { return this.run.scheduler.sleep(this.activation.scope, ticks, this.activation.path, this.node.id); }

  /** Waits for a promise that is not the engine's; other strands go on meanwhile. */
  wait(promise) { return this.run.scheduler.outside(this.activation.scope, promise); }
}

/** One execution of a data node, and what its body sees. */
class Evaluation extends Body {
  outputs = new Map(); // the cells that it makes
  questions = []; // lazy inputs and variables, in the order in which the body asked: {slot, cell}
  waiting = new Set(); // strands that share it (D5)
  failure = null;

  constructor(run, node, activation, given, moment) {
    super(run, node);
    this.activation = activation; // for which it is made
    this.given = given; // the cells of its eager inputs (D7)
    this.moment = moment; // at which it was asked for (D6)
  }

  async resolve(input) {
    if (!input.lazy) return this.given.get(input);
    const question = { slot: input, cell: FAILED };
    this.questions.push(question);
    return (question.cell = await this.run.data.resolve(input, this.activation));
  }

  read(variable) {
    const cell = this.activation.store.read(variable.key);
    this.questions.push({ slot: variable, cell });
    return cell;
  }

  set(name, value) {
    this.node.key(name); // T4
    this.outputs.set(name, new Cell(value));
  }

  /** Names it, and the cells that it made (INTERPRETING 7). */
  key() {
    const { id, type, inputs } = this.node;
    const origins = inputs.map((input) => (input.lazy ? "lazy" : this.given.get(input).origin));
    if (type.volatile) origins.push(this.moment.origin);
    const key = `${id}#${digest([...origins, ...this.questions.map(({ cell }) => cell.origin)])}`;
    for (const [name, cell] of this.outputs) cell.origin = `${key}.${name}`;
    return key;
  }
}

const EFFECTS = ["trigger", "emit", "join", "failures", "branches", "publish", "payload", "entered", "within"];
for (const effect of [...EFFECTS, "feedback", "setVar", "getState", "setState"]) { // D8
  const get = () => { throw new Failure("data-node-effect", `a data node has no effects: it can't use ${effect}`); };
  Object.defineProperty(Evaluation.prototype, effect, { get });
}

/** A place in the memory of data nodes; there is one for each node and series of cells that its evaluations used (D4).
 *
 * Cells are held weakly. Once no store and no evaluation knows a cell any more, what was made of it is forgotten.
 */
class Place {
  #next = null;
  slot = null; // the next question of the evaluations that are remembered further on
  evaluation = null; // the one that has no further question
  running = null; // the one that is in progress, if these are all its eager cells

  at(cell) {
    this.#next ??= new WeakMap();
    if (!this.#next.has(cell)) this.#next.set(cell, new Place());
    return this.#next.get(cell);
  }

  remember(evaluation) {
    let place = this;
    for (const { slot, cell } of evaluation.questions) {
      place.slot = slot;
      place = place.at(cell);
    }
    place.evaluation = evaluation;
  }
}

/** How the inputs of a run's nodes get their values. */
export class Demands {
  #memory = new Place(); // before the nodes
  #fickle = false; // whether an evaluation has caught a failure: from then on no answer is taken for granted
  #demands = 0;

  constructor(run) { this.run = run; }

  /** The cell that an input has now (D1-D3). */
  async resolve(input, activation) {
    const { source, fallback } = input;
    if (!source) return fallback;
    if (!source.node.data) return activation.store.read(source.key) ?? fallback;
    return (await this.#demand(source.node, activation)).outputs.get(source.name) ?? fallback;
  }

  // The evaluation that answers for a node (D4). Those that fit do so until something is written, for one moment (D6).
  async #demand(node, activation) {
    const { store, moment } = activation;
    if (store.known?.moment !== moment) store.known = { moment, evaluations: new Map() };
    const { evaluations } = store.known;
    if (evaluations.has(node)) return evaluations.get(node);
    if (++this.#demands % 64 === 0) await null; // unwinds the call stack: chains may be of any length (D10)
    const evaluation = await this.#find(node, activation);
    if (!this.#fickle) evaluations.set(node, evaluation);
    return evaluation;
  }

  async #find(node, activation) {
    const { scheduler } = this.run;
    const { moment } = activation;
    const given = new Map();
    let place = this.#memory.at(node);
    for (const input of node.eager) {
      given.set(input, input.need(await this.resolve(input, activation)));
      if (input.source) place = place.at(given.get(input)); // otherwise it is always the same cell
    }
    if (node.type.volatile) place = place.at(moment); // D6
    for (let parked = false; ; parked = true) { // the loop of D5
      let last = place; // behind the questions that still have the same answers (D4)
      while (!last.evaluation && last.slot) last = last.at(await this.#answer(last.slot, activation));
      if (last.evaluation) return last.evaluation;
      const { running } = place;
      if (parked && !running) {
        const evaluation = new Evaluation(this.run, node, activation, given, moment);
        return await this.#evaluate(evaluation, place);
      }
      if (running) await scheduler.wait(activation.scope, running.waiting);
      await scheduler.park(activation.scope, "e", activation.path, node.id);
      if (running?.failure && (await this.#shares(running, activation))) throw running.failure;
    }
  }

  // Whether a failed evaluation would fail for this activation, too; an answer that failed is like no other (D5).
  async #shares({ questions }, activation) {
    for (const { slot, cell } of questions) {
      const answer = await this.#answer(slot, activation);
      if (answer === FAILED || answer !== cell) return false;
    }
    return true;
  }

  async #answer(slot, activation) {
    if (!slot.node) return activation.store.read(slot.key); // a variable
    return await this.resolve(slot, activation).catch((error) => {
      if (error instanceof Cancelled) throw error;
      return FAILED;
    });
  }

  async #evaluate(evaluation, place) {
    const { run, node: { id, type }, activation, questions } = evaluation;
    place.running = evaluation;
    run.tell("evaluating", activation, { node: id });
    try {
      await type.run(evaluation);
      // A failure has no version, so nobody could tell whether it still holds.
      if (questions.some(({ cell }) => cell === FAILED)) this.#fickle = true;
      else place.remember(evaluation);
      run.tell("evaluated", activation, { node: id, key: run.options.named ? evaluation.key() : null });
      return evaluation;
    } catch (error) {
      run.tell("unevaluated", activation, { node: id });
      if (error instanceof Cancelled) throw error;
      run.origin(error, activation); // E2
      throw (evaluation.failure = error);
    } finally {
      place.running = null;
      // What is remembered are the cells that it made.
      evaluation.activation = evaluation.given = evaluation.moment = null;
      wakeAll(evaluation.waiting);
    }
  }
}

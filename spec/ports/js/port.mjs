// The port: answers the requests of the conformance kit, one line of JSON each (INTERPRETING 1, 6, 8 and 9).

import { pathToFileURL } from "node:url";
import { Graph, InvalidGraph, Run } from "./engine.mjs";
import { codes, scripted } from "./scripted.mjs";
import { bytewise } from "./store.mjs";

const STARTED = {
  type: "started",
  contract: "1.0",
  name: "trioflow-js",
  language: "JavaScript",
  level: 3,
  capabilities: "core data failure state limit fork stream time event life validation action".split(" "),
};

const numbers = (path) => path.split(".").map(Number);

function asText({ event, path, ...more }) {
  const asField = ([name, value]) => (name === "value" ? JSON.stringify(value) : (value ?? "-"));
  return [event, path, ...Object.entries(more).map(asField)].join(" ");
}

function asObject({ path, origin, ...more }) {
  return { path: numbers(path), ...more, ...(origin && { origin: numbers(origin) }) };
}

// Item by item, a path before those that it begins.
function byPath({ path: a }, { path: b }) {
  const at = a.findIndex((number, place) => number !== b[place]);
  return at < 0 ? a.length - b.length : at < b.length ? a[at] - b[at] : 1;
}

/** The canonical trace (E5). */
function canonical(trace) {
  const sorted = trace.toSorted(byPath);
  const all = (names, item) => sorted.filter(({ event }) => names.includes(event)).map(item);
  const entered = new Map(all(["started"], ({ path, entered }) => [`${path}`, entered]));
  const activation = ({ path, node, event, handed = null }) => [path, node, entered.get(`${path}`), event, handed];
  return {
    activations: all(["completed", "failed", "cancelled"], activation),
    feedback: all(["feedback"], ({ path, value }) => [path, value]),
    strands: all(["forked", "joined"], ({ path, event }) => [path, event]),
    conflicts: all(["conflict"], ({ path, variable }) => [path, variable]),
    evaluations: [...new Set(all(["evaluated"], ({ key }) => key))].sort(bytewise),
  };
}

/** Directs a run as a request says: its schedule, its actions, and the steps that are made (8, 9). */
class Director {
  steps = [];
  #releases = 0;

  constructor(choices, actions) {
    this.choices = [...(choices ?? [])].values();
    this.actions = [...(actions ?? [])];
    this.#step({ do: "begin" });
  }

  #step(step) { this.steps.push({ ...step, events: [] }); }
  tell(event) { this.steps.at(-1).events.push(asText(event)); }
  moved(now) { this.#step({ do: "time", now }); }

  act(parked) {
    const [{ at } = {}] = this.actions;
    const due = typeof at === "number" ? at <= this.#releases : [...(parked ?? [])].some(({ label }) => label === at);
    if (parked && !due) return false;
    const action = this.actions.shift() ?? (this.run.gate.queue.size ? { at: 0, do: "resume" } : null);
    if (!action) return false;
    this.#step({ do: "action", action });
    const { gate } = this.run;
    if (action.do === "breakpoint") gate.breakpoints.add(action.node);
    else if (action.do === "cancel") this.run.cancel();
    else if (action.do === "publish") this.run.publish(action.event, action.payload ?? null);
    else gate[action.do](action.count); // pause, resume, step
    return true;
  }

  choose(parked) {
    const sorted = [...parked].sort((a, b) => bytewise(a.label, b.label));
    const chosen = sorted[sorted.length > 1 ? (this.choices.next().value ?? 0) % sorted.length : 0];
    this.#releases += 1;
    this.#step({ do: "release", enabled: sorted.map(({ label }) => label), chosen: chosen.label });
    return chosen;
  }
}

const NOTHING = { errors: [], problems: [], variables: {}, outputs: {}, feedback: [], life: [] };

/** Answers a `run` request. */
export async function answer({ id, graph: document, variables, options, level = 0, choices, actions }) {
  const result = { type: "result", id, status: "invalid", ...NOTHING };
  let graph;
  try {
    graph = new Graph(document, scripted);
  } catch (error) {
    if (!(error instanceof InvalidGraph)) throw error;
    const problems = error.problems.map(({ code, path }) => [code, path]);
    return { ...result, problems: problems.sort(([a, b], [c, d]) => bytewise(a, c) || bytewise(b, d)) };
  }
  const events = [];
  const director = level >= 2 ? new Director(choices, level >= 3 ? actions : []) : null;
  const observe = (event) => {
    if (level >= 1 || event.event === "feedback") events.push(event);
    director?.tell(event);
  };
  const run = new Run(graph, { ...options, variables, named: level >= 1, director, observe });
  if (director) director.run = run;
  const { failures, ...ends } = await run.run();
  const trace = events.map(asObject);
  const told = canonical(trace);
  Object.assign(result, ends, { errors: codes(...failures), feedback: told.feedback });
  if (level >= 1) Object.assign(result, { trace, canonical: told });
  if (director) result.steps = director.steps.map((step) => ({ ...step, events: step.events.sort(bytewise) }));
  return result;
}

async function reply(line) {
  let request;
  try {
    request = JSON.parse(line);
    if (request.type === "stop") process.exit(0);
    return request.type === "start" ? STARTED : await answer(request);
  } catch (error) {
    return { type: "error", id: request?.id ?? null, message: `${error.message}`, context: `${error.stack}` };
  }
}

async function* lines(input) {
  let begun = [];
  for await (const chunk of input.setEncoding("utf8")) {
    const [first, ...more] = chunk.split("\n");
    begun.push(first);
    for (const next of more) {
      yield begun.join("");
      begun = [next];
    }
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  for await (const line of lines(process.stdin)) process.stdout.write(`${JSON.stringify(await reply(line))}\n`);
}

// The port: answers the requests of the conformance kit, one line of JSON each (INTERPRETING 1, 6, 8 and 9).

import { pathToFileURL } from "node:url";
import { Graph, InvalidGraph, Run } from "./engine.mjs";
import { codes, scripted } from "./scripted.mjs";
import { bytewise } from "./store.mjs";

const CAPABILITIES = "core data failure state limit fork stream time event life validation action ahead workflow".split(" ");
const PORT = { contract: "2.2", name: "trioflow-js", language: "JavaScript", level: 3, capabilities: CAPABILITIES };

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
    this.choices = [...(choices ?? [])];
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
    const { run } = this;
    const action = this.actions.shift() ?? (run.gate.queue.size ? { at: 0, do: "resume" } : null);
    if (!action) return false;
    this.#step({ do: "action", action });
    if (action.do.endsWith("breakpoint")) run.gate.breakpoints.add(action.node ?? action.wire);
    else if (action.path) run.gate.stepByPath(action.do.slice("step-".length), action.path.join("."));
    else if (action.do === "cancel") run.cancel();
    else if (action.do === "publish") run.publish(action.event, action.payload ?? null);
    else run.gate[action.do](action.count); // pause, resume, step
    return true;
  }

  choose(parked) {
    const sorted = [...parked].sort((a, b) => bytewise(a.label, b.label));
    const chosen = sorted[sorted.length > 1 ? (this.choices.shift() ?? 0) % sorted.length : 0];
    this.#releases += 1;
    this.#step({ do: "release", enabled: sorted.map(({ label }) => label), chosen: chosen.label });
    return chosen;
  }
}

/** Answers a `run` request. */
export async function answer({ id, graph: document, variables, options, level, choices, actions }) {
  const head = { type: "result", id };
  let graph;
  try {
    graph = new Graph(document, scripted);
  } catch (error) {
    if (!(error instanceof InvalidGraph)) throw error;
    const problems = error.problems.map(({ code, path }) => [code, path]);
    problems.sort(([a, b], [c, d]) => bytewise(a, c) || bytewise(b, d));
    return { ...head, status: "invalid", errors: [], problems, variables: {}, outputs: {}, feedback: [], life: [] };
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
  const result = { ...head, ...ends, errors: codes(...failures), problems: [], feedback: told.feedback };
  const steps = director?.steps.map((step) => ({ ...step, events: step.events.sort(bytewise) }));
  return level >= 1 ? { ...result, trace, canonical: told, steps } : result;
}

async function reply(line) {
  let request;
  try {
    request = JSON.parse(line);
    if (request.type === "stop") process.exit(0);
    return request.type === "start" ? { type: "started", ...PORT } : await answer(request);
  } catch (error) {
    return { type: "error", id: request?.id ?? null, message: `${error.message}`, context: `${error.stack}` };
  }
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  let begun = "";
  for await (const chunk of process.stdin.setEncoding("utf8")) {
    const lines = `${begun}${chunk}`.split("\n");
    begun = lines.pop();
    for (const line of lines) process.stdout.write(`${JSON.stringify(await reply(line))}\n`);
  }
}

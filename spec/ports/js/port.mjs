// The port: answers the requests of the conformance kit, one line of JSON each (INTERPRETING 1, 6, 8 and 9).

import { pathToFileURL } from "node:url";
import { Graph, InvalidGraph, Run, codes } from "./engine.mjs";
import { bytewise } from "./schedule.mjs";
import { scripted } from "./scripted.mjs";

const STARTED = {
  type: "started",
  contract: "1.0",
  name: "trioflow-js",
  language: "JavaScript",
  level: 3,
  capabilities: ["core", "data", "failure", "state", "limit", "fork", "stream", "time", "event", "life", "validation", "action"],
};

const numbers = (path) => (path === "" ? [] : path.split(".").map(Number));

// Item by item, a path before those that it begins.
function byPath([a], [b]) {
  const at = a.findIndex((item, index) => item !== b[index]);
  return at < 0 ? a.length - b.length : at < b.length ? a[at] - b[at] : 1;
}

const FIELDS = {
  started: ["node", "entered"],
  completed: ["node", "handed"],
  failed: ["node", "origin"],
  cancelled: ["node"],
  evaluating: ["node"],
  evaluated: ["node", "key"],
  unevaluated: ["node"],
  forked: [],
  joined: [],
  conflict: ["variable"],
  feedback: ["value"],
};

function asText(event) {
  const more = FIELDS[event.event].map((name) => (name === "value" ? JSON.stringify(event.value) : (event[name] ?? "-")));
  return [event.event, event.path || "root", ...more].join(" ");
}

function asObject(event) {
  const object = { event: event.event, path: numbers(event.path) };
  for (const name of FIELDS[event.event]) object[name] = name === "origin" ? numbers(event.origin) : event[name];
  return object;
}

function canonical(trace) {
  const entered = new Map(trace.filter(({ event }) => event === "started").map((event) => [event.path, event.entered]));
  const of = (...names) => trace.filter(({ event }) => names.includes(event));
  const sorted = (events, item) => events.map((event) => [numbers(event.path), ...item(event)]).sort((a, b) => byPath(a, b) || bytewise(`${a[1]}`, `${b[1]}`));
  return {
    activations: sorted(of("completed", "failed", "cancelled"), ({ path, node, event, handed = null }) => [node, entered.get(path), event, handed]),
    feedback: feedback(trace),
    strands: sorted(of("forked", "joined"), ({ event }) => [event]),
    conflicts: sorted(of("conflict"), ({ variable }) => [variable]),
    evaluations: [...new Set(of("evaluated").map(({ key }) => key))].sort(bytewise),
  };
}

const feedback = (trace) =>
  trace
    .filter(({ event }) => event === "feedback")
    .map(({ path, value }) => [numbers(path), value])
    .sort(byPath);

/** Directs a run as a request says: its schedule, its actions, and the steps that are made (8, 9). */
class Director {
  steps = [];
  #releases = 0;

  constructor({ choices = [], actions = [], level = 0 }) {
    this.recording = level >= 2;
    this.choices = choices.values();
    this.actions = level >= 3 ? [...actions] : [];
    this.#step({ do: "begin" });
  }

  #step(step) { if (this.recording) this.steps.push({ ...step, events: [] }); }
  tell(event) { if (this.recording) this.steps.at(-1).events.push(asText(event)); }

  due(labels) {
    if (!this.actions.length) return false;
    const { at } = this.actions[0];
    return (typeof at === "number" ? at <= this.#releases : labels.includes(at)) && this.last();
  }

  last() {
    let action = this.actions.shift();
    if (!action && this.run.gate.waiting) action = { at: 0, do: "resume" };
    if (!action) return false;
    this.#step({ do: "action", action });
    const { gate } = this.run;
    if (action.do === "breakpoint") gate.breakpoints.add(action.node);
    else if (action.do === "cancel") this.run.cancel();
    else if (action.do === "publish") this.run.publish(action.event, action.payload ?? null);
    else gate[action.do](action.count); // pause, resume, step
    return true;
  }

  choose(labels) {
    const place = labels.length > 1 ? (this.choices.next().value ?? 0) % labels.length : 0;
    this.#releases += 1;
    this.#step({ do: "release", enabled: labels, chosen: labels[place] });
    return place;
  }

  moved(now) { this.#step({ do: "time", now }); }

  finish() {
    for (const step of this.steps) step.events.sort(bytewise);
    return this.steps;
  }
}

export async function answer({ id, graph: document, variables = {}, options = {}, ...request }) {
  const level = request.level ?? 0;
  const empty = { variables: {}, outputs: {}, feedback: [], life: [], trace: [], canonical: null, steps: [] };
  let graph;
  try {
    graph = new Graph(document, scripted);
  } catch (error) {
    if (!(error instanceof InvalidGraph)) throw error;
    const problems = error.problems.map(({ code, path }) => [code, path]).sort(([a, b], [c, d]) => bytewise(a, c) || bytewise(b, d));
    return { type: "result", id, status: "invalid", errors: [], problems, ...empty };
  }
  const director = level >= 2 ? new Director(request) : null;
  const trace = [];
  const run = new Run(graph, {
    variables,
    maxSteps: options.max_steps,
    maxDepth: options.max_depth,
    maxNesting: options.max_nesting,
    maxStrands: options.max_strands,
    timeout: options.timeout,
    parallelInitiators: options.parallel_initiators,
    streams: options.streams,
    director,
    named: level >= 1,
    observe(event) {
      if (level >= 1 || event.event === "feedback") trace.push(event);
      director?.tell(event);
    },
  });
  if (director) director.run = run;
  const { status, failures, life, ...ends } = await run.run();
  const result = { type: "result", id, status, errors: codes(...failures), problems: [], ...empty, ...ends, feedback: feedback(trace), life };
  if (level >= 1) Object.assign(result, { trace: trace.map(asObject), canonical: canonical(trace) });
  if (director) result.steps = director.finish();
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

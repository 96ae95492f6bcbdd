// One measurement, in this process, of an engine in JavaScript: what benchmarks/lib/worker.py is for those in Python.
//
// A subject is a module with a function for each workload that it can do. The function builds what is needed for a size
// and returns what is to be timed: a function, awaited if it gives a promise. What that gives is taken for the number of
// steps it did, if it is a bigint, and must be right; for the figure itself, in seconds, if it is a number.

import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync, writeSync } from "node:fs";
import { pathToFileURL } from "node:url";

const ENOUGH = 0.25;
const MOST_RUNS = 20;
const ANSWER = 1;

// What a subject prints must not get into the answer.
for (const level of ["log", "info", "warn", "debug"]) console[level] = () => {};

async function describe(key) {
  let module;
  try {
    module = await import(`./${key}.mjs`);
  } catch (error) {
    return { missing: String(error.message).split("\n")[0] };
  }
  const manifest = new URL(`./node_modules/${module.packages[0]}/package.json`, import.meta.url);
  const can = Object.keys(module)
    .filter((name) => typeof module[name] === "function")
    .map((name) => name.replace(/_$/, ""));
  return { version: JSON.parse(readFileSync(manifest, "utf8")).version, can: [...can, "import"], cannot: module.cannot };
}

async function measure(key, workload, size) {
  if (workload === "import") return imports(key);
  const module = await import(`./${key}.mjs`);
  globalThis.gc?.();
  const before = process.memoryUsage().rss;
  const started = performance.now();
  try {
    const run = await module[workload](size);
    const prepare = (performance.now() - started) / 1000;
    const built = process.memoryUsage().rss;
    forgetPeak();
    const seconds = await repeat(run, size);
    return { seconds, prepare, memory_built: Math.max(0, built - before), memory_run: Math.max(0, peak() - built) };
  } catch (error) {
    return { died: `${error.name ?? "Error"}: ${String(error.message ?? error).split("\n")[0].slice(0, 160)}` };
  }
}

async function repeat(run, size) {
  const samples = [];
  for (let spent = 0; spent < ENOUGH && samples.length < MOST_RUNS; ) {
    const started = performance.now();
    const given = run();
    const result = given instanceof Promise ? await given : given;
    const elapsed = (performance.now() - started) / 1000;
    if (typeof result === "bigint" && result !== BigInt(size)) throw new Error(`it did ${result} of ${size}`);
    spent += elapsed;
    samples.push(typeof result === "number" ? result : elapsed);
  }
  // The first run fills caches.
  return samples.length > 2 ? samples.slice(1) : samples;
}

// Importing, in a new process each time.
async function imports(key) {
  const { packages } = await import(`./${key}.mjs`);
  const code = `
    const start = performance.now();
    ${packages.map((name) => `await import(${JSON.stringify(name)});`).join("\n")}
    process.stdout.write(String((performance.now() - start) / 1000));
    process.exit(0);`;
  const cwd = new URL(".", import.meta.url);
  const given = execFileSync(process.execPath, ["--input-type=module", "-e", code], { cwd, encoding: "utf8" });
  return { seconds: [Number(given)], prepare: 0, memory_built: 0, memory_run: 0 };
}

function forgetPeak() {
  if (existsSync("/proc/self/clear_refs")) writeFileSync("/proc/self/clear_refs", "5");
}

function peak() {
  if (!existsSync("/proc/self/status")) return process.memoryUsage().rss;
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync("/proc/self/status", "utf8"))[1]) * 1024;
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const [verb, key, workload, size] = process.argv.slice(2);
  const answer = verb === "describe" ? await describe(key) : await measure(key, workload, Number(size));
  writeSync(ANSWER, JSON.stringify(answer));
  process.exit(0);
}

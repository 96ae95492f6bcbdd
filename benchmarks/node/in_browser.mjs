// A page of another editor in Chromium: it is served on loopback, measures itself, and posts what it found.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { createServer } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";

const FLAGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
  "--disable-component-update", "--disable-sync", "--window-size=1280,800"];

// For each node after the first the two before it that it takes its inputs from; as in benchmarks/subjects/in_studio.py.
const GRAPH = `
const sources = (size) => {
  let state = size;
  const draw = (most) => { state = (state * 16807) % 2147483647; return 1 + (state % most); };
  return Array.from({ length: size - 2 }, (_, each) => { const number = each + 1; return [number - draw(Math.min(number, 60)), number - draw(Math.min(number, 60))]; });
};
const place = (number) => [Math.floor(number / 60) * 260, (number % 60) * 120];
const frame = () => new Promise(requestAnimationFrame);
const done = (seconds) => fetch('done', { method: 'POST', body: JSON.stringify(seconds) });
const moved = async (zoom, light) => {
  let frames = 0, lit = 0;
  const began = performance.now();
  while (performance.now() - began < 3000) {
    zoom(frames % 80 < 40 ? 1.02 : 1 / 1.02);
    if (performance.now() - began > (lit * 1000) / 30) { lit++; light(); }
    await frame();
    frames++;
  }
  return (performance.now() - began) / 1000 / frames;
};
window.onerror = (text) => done(String(text));
`;

/** Seconds that a page finds. `files` are served by name, `script` is its own. */
export async function inBrowser(files, body, script) {
  const modules = new URL("./node_modules/", import.meta.url);
  const texts = { ...Object.fromEntries(Object.entries(files).map(([name, path]) => [name, readFileSync(new URL(path, modules))])), "graph.js": GRAPH, "own.js": script };
  const tags = Object.keys(texts).map((name) => (name.endsWith(".css") ? `<link rel=stylesheet href=${name}>` : `<script src=${name}></script>`));
  texts[""] = `<!doctype html><meta charset=utf-8><body style="margin:0">${body}${tags.join("")}`;
  const profile = mkdtempSync(join(tmpdir(), "bench-"));
  let server, browser;
  try {
    return await new Promise((found, failed) => {
      server = createServer(async (request, answer) => {
        const name = request.url.slice(1);
        if (request.method === "POST") {
          let text = "";
          for await (const part of request) text += part;
          answer.end();
          const seconds = JSON.parse(text);
          typeof seconds === "number" ? found(seconds) : failed(new Error(seconds));
        } else if (name in texts) {
          answer.writeHead(200, { "content-type": name.endsWith(".css") ? "text/css" : name ? "text/javascript" : "text/html" }).end(texts[name]);
        } else answer.writeHead(404).end();
      }).listen(0, "127.0.0.1", () => {
        browser = spawn("chromium", [...FLAGS, `--user-data-dir=${profile}`, `http://127.0.0.1:${server.address().port}/`], { stdio: "ignore" });
        browser.on("error", () => failed(new Error("Chromium is not installed")));
        browser.on("exit", () => failed(new Error("Chromium has ended")));
      });
    });
  } finally {
    browser?.removeAllListeners("exit");
    if (browser?.kill()) await new Promise((ended) => browser.on("exit", ended));
    server.closeAllConnections();
    server.close();
    rmSync(profile, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  }
}

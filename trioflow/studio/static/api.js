// What the page asks of the server. Addresses are relative, so that it works below a path and behind a proxy.

const HIDDEN = 2000;

const given = new URLSearchParams(location.hash.slice(1)).get('token');
if (given) {
  sessionStorage.setItem('token', given);
  history.replaceState(null, '', location.pathname + location.search);
}
const headers = { authorization: `Bearer ${given || sessionStorage.getItem('token') || ''}` };

/** After so many milliseconds a person is shown that something goes on; of what is quicker one sees what has come of it. */
const SOON = 70;
let going = 0;

/** Wait for an answer; the page shows that it does, if that takes a while. @template T @param {Promise<T>} answer @returns {Promise<T>} */
async function awaited(answer) {
  let shown = false;
  const count = (/** @type {number} */ more) => {
    going += more;
    document.documentElement.classList.toggle('waiting', going > 0);
  };
  const timer = setTimeout(() => { shown = true; count(1); }, SOON);
  try {
    return await answer;
  } finally {
    clearTimeout(timer);
    if (shown) count(-1);
  }
}

/** What the server says when it is asked for something. Throws with words if it refuses. @param {string} path @returns {Promise<Response>} */
async function get(path) {
  const answer = await awaited(fetch(path, { headers }));
  if (answer.ok) return answer;
  const text = (await answer.text()).trim();
  throw new Error(answer.headers.get('content-type')?.startsWith('application/json') ? JSON.parse(text).error : text);
}

/** The graph, for editing with all sockets. Throws with words if the server refuses. @param {boolean} [all] */
export async function getGraph(all = false) { return (await get(all ? 'api/graph?sockets=all' : 'api/graph')).json(); }

/** The graph as the page begins with it, asked for before the rest of the page is there. @type {Promise<any>} */
export const firstGraph = getGraph();
firstGraph.catch(() => {}); // whoever waits for it is told

/** The node types that there are. */
export async function getCatalogue() { return (await get('api/catalogue')).json(); }

/** What can be said of a node beyond its inputs, as fields of a form. */
export async function getSettings() { return (await get('api/settings')).json(); }

/** What else can be opened. */
export async function getShelf() { return (await get('api/shelf')).json(); }

/** A stretch of the recording, as bytes: the events from one up to another; without these the last ones. @param {number} [from] @param {number} [to] */
export async function getRecording(from, to) { return (await get(from === undefined ? 'api/recording' : `api/recording?from=${from}&to=${to}`)).arrayBuffer(); }

/** Where the time of the recording went, by node. */
export async function getProfile() { return (await get('api/recording/profile')).json(); }

/** The recording, as a file. */
export async function getRecordingFile() { return (await get('api/recording/file')).arrayBuffer(); }

/**
 * Ask for something to be done. Throws with words if it was refused.
 * @param {string} what
 * @param {Record<string, unknown>} [more]
 */
export async function ask(what, more = {}) {
  const body = JSON.stringify({ do: what, ...more });
  const answer = await awaited(fetch('api/do', { method: 'POST', headers: { ...headers, 'content-type': 'application/json' }, body }));
  const said = await answer.json().catch(() => ({ error: `the server answered ${answer.status}` }));
  if (said.error) throw Object.assign(new Error(said.error), { problems: said.problems || [] });
  return said.result;
}

/**
 * Read frames for ever, and go on after the last one when the stream was dropped. Nobody looks at a page that is hidden: it lets
 * go of its stream, since browsers open six a host, and goes on where it was when it is seen again.
 * @param {(kind: string, data: any) => void} take
 * @param {(connected: boolean) => void} tell
 */
export async function readFrames(take, tell) {
  let last = '';
  for (;;) {
    const control = new AbortController();
    const leave = () => { if (document.hidden) setTimeout(() => { if (document.hidden) control.abort(); }, HIDDEN); };
    document.addEventListener('visibilitychange', leave);
    try {
      const answer = await fetch('api/events', { headers: { ...headers, 'last-event-id': last }, signal: control.signal });
      if (!answer.ok || !answer.body) throw new Error(String(answer.status));
      tell(true);
      const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
      let held = '';
      for (;;) {
        const { value, done } = await reader.read();
        if (done) break;
        held += value;
        const messages = held.split('\n\n');
        held = /** @type {string} */ (messages.pop());
        for (const message of messages) {
          /** @type {Record<string, string>} */
          const fields = {};
          for (const line of message.split('\n')) {
            const colon = line.indexOf(': ');
            if (colon > 0) fields[line.slice(0, colon)] = line.slice(colon + 2);
          }
          if (fields.data) {
            last = fields.id;
            take(fields.event, JSON.parse(fields.data));
          }
        }
      }
    } catch (error) {
      if (!(error instanceof TypeError || error instanceof DOMException)) console.info('the stream was refused', String(error));
    }
    document.removeEventListener('visibilitychange', leave);
    if (control.signal.aborted) await seen();
    else {
      tell(false);
      await new Promise((go) => setTimeout(go, 500));
    }
  }
}

/** Wait until the page is seen. */
async function seen() {
  while (document.hidden) await new Promise((go) => document.addEventListener('visibilitychange', go, { once: true }));
}

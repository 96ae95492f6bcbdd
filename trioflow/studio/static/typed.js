// What is typed into fields: sent when a person stops for a moment, or at once before anything else is done.

/** What was typed and is not sent yet. @type {Set<() => void>} */
const waiting = new Set();
/** What is being sent. @type {Set<Promise<any>>} */
const going = new Set();

/** Do something when a person has stopped typing for a moment. @param {() => any} what */
export function soon(what) {
  let timer = 0;
  const now = () => {
    clearTimeout(timer);
    waiting.delete(now);
    const sent = Promise.resolve(what()).finally(() => going.delete(sent));
    going.add(sent);
  };
  return () => {
    clearTimeout(timer);
    waiting.add(now);
    timer = setTimeout(now, 140);
  };
}

/** Come back when all that was typed is sent: whatever is done next finds the graph with it. */
export async function sendTyped() {
  for (const now of [...waiting]) now();
  await Promise.all([...going]);
}

// The nodes that are measured, in the form in which Node-RED loads them.

module.exports = (RED) => {
  const bench = RED.settings.bench;

  const register = (type, onInput) =>
    RED.nodes.registerType(`bench-${type}`, function (config) {
      RED.nodes.createNode(this, config);
      this.on("input", (message, send, done) => {
        onInput(message, send, config);
        done();
      });
      if (type === "loop" || config.id === "first") bench.first = this;
    });

  register("step", (message, send) => send(message));
  register("loop", (message, send, { times }) => {
    for (let index = 0; index < times; index++) send({ payload: index });
  });
  register("count", (message, send, { times }) => {
    message.payload++;
    if (message.payload < times) send(message);
    else bench.finished(message.payload);
  });
  // Waits for so many messages.
  register("end", (message, send, { times }) => {
    bench.ended++;
    if (bench.ended === times) bench.finished(bench.ended);
  });
};

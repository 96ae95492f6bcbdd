// React Flow: an editor alone, nothing is run. Nodes are elements; those out of view are left out.

import { inBrowser } from "./in_browser.mjs";

export const packages = ["@xyflow/react"];
export const cannot = {};

const FILES = {
  "react.js": "react/umd/react.production.min.js",
  "react-dom.js": "react-dom/umd/react-dom.production.min.js",
  "shim.js": "../react_jsx.js",
  "flow.js": "@xyflow/react/dist/umd/index.js",
  "style.css": "@xyflow/react/dist/style.css",
};

const page = (size, then) => inBrowser(FILES, '<div id=root style="width:1280px;height:800px"></div>', `
const nodes = Array.from({ length: ${size} }, (_, number) => ({ id: String(number), position: { x: place(number)[0], y: place(number)[1] }, data: { label: 'node ' + number } }));
const edges = sources(${size}).flatMap((pair, each) => pair.map((from, side) => ({ id: each + '-' + side, source: String(from), target: String(each + 1) })));
const { ReactFlow } = window.ReactFlow;
let flow;
const App = () => React.createElement(ReactFlow, { defaultNodes: nodes, defaultEdges: edges, fitView: true, minZoom: 0.01, onlyRenderVisibleElements: true, onInit: async (it) => {
  flow = it;
  await frame();
  await frame();
  ${then}
} });
ReactDOM.createRoot(document.getElementById('root')).render(React.createElement(App));
`);

export const studio_load = (size) => () => page(size, "done(performance.now() / 1000);");
export const studio_frame = (size) => () => page(size, `
  const zoom = (by) => { const { x, y, zoom } = flow.getViewport(); flow.setViewport({ x: 400 - (400 - x) * by, y: 400 - (400 - y) * by, zoom: zoom * by }); };
  const light = () => flow.setEdges((all) => { const next = [...all]; for (let i = 0; i < 33; i++) { const at = Math.floor(Math.random() * all.length); next[at] = { ...all[at], style: { stroke: all[at].style ? undefined : 'orange' } }; } return next; });
  done(await moved(zoom, light));
`);

// What the build of React Flow for pages expects beside React.
window.jsxRuntime = {
  Fragment: React.Fragment,
  jsx: (type, given, key) => React.createElement(type, key === undefined ? given : { ...given, key }),
  jsxs: (type, { children, ...given }, key) => React.createElement(type, key === undefined ? given : { ...given, key }, ...children),
};

// The charts, or a fault for each where the library cannot be loaded: figures are shown without charts too.
const { minutes, spark } = await import("/web/shell/uplot_charts.js").catch((fault) => {
  const none = () => { throw fault; };
  return { minutes: none, spark: none };
});

export { minutes, spark };

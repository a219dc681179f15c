// Draws each `<figure data-chart>` from the option (JSON) in its own script element. The table
// beside it holds the same figures, because assistive technology cannot read a canvas.

import { BarChart, FunnelChart, HeatmapChart, LineChart, PieChart } from "echarts/charts";
import { AriaComponent, DatasetComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent } from "echarts/components";
import { init, use } from "echarts/core";
import { CanvasRenderer } from "echarts/renderers";

use([BarChart, FunnelChart, HeatmapChart, LineChart, PieChart]);
use([AriaComponent, DatasetComponent, GridComponent, LegendComponent, TooltipComponent, VisualMapComponent, CanvasRenderer]);

const COLORS = ["#0b6b45", "#b97a00", "#17507f", "#a9201a", "#5b4a8a", "#46746a"];
const drawn = new Map();

function draw(figure) {
  const option = JSON.parse(figure.querySelector('script[type="application/json"]').textContent);
  const chart = init(figure.querySelector("[data-canvas]"), null, { renderer: "canvas" });
  // The HTML tooltip would write style attributes, which the content policy forbids.
  const defaults = { color: COLORS, animation: false, aria: { enabled: false }, textStyle: { fontFamily: getComputedStyle(document.body).fontFamily } };
  chart.setOption({ ...defaults, ...option, tooltip: { ...option.tooltip, renderMode: "richText" }, legend: option.legend && { top: 0, ...option.legend } });
  drawn.set(figure, chart);
}

function drawAll(root) {
  for (const [figure, chart] of drawn)
    if (!figure.isConnected) {
      chart.dispose();
      drawn.delete(figure);
    }
  const figures = [...root.querySelectorAll("figure[data-chart]")];
  if (root.matches && root.matches("figure[data-chart]")) figures.push(root);
  for (const figure of figures) if (!drawn.has(figure)) draw(figure);
}

document.addEventListener("DOMContentLoaded", () => drawAll(document));
document.addEventListener("htmx:load", (event) => drawAll(event.target));
window.addEventListener("resize", () => {
  for (const chart of drawn.values()) chart.resize();
});

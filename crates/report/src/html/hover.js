"use strict";
const tip = document.getElementById("tip");
function show(event, text) {
  tip.textContent = text;
  tip.hidden = false;
  const box = tip.getBoundingClientRect();
  const right = event.clientX + 14 + box.width < innerWidth;
  const below = event.clientY + 14 + box.height < innerHeight;
  tip.style.left = Math.max(4, right ? event.clientX + 14 : event.clientX - 14 - box.width) + "px";
  tip.style.top = (below ? event.clientY + 14 : event.clientY - 14 - box.height) + "px";
}
function fractions(area, event) {
  const box = area.getBoundingClientRect();
  const inside = (at, from, size) => Math.min(0.999999, Math.max(0, (at - from) / size));
  return [inside(event.clientX, box.left, box.width), inside(event.clientY, box.top, box.height)];
}
// The index of the step nearest to `at`; steps ascend.
function nearest(steps, at) {
  let low = 0, high = steps.length - 1;
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (steps[middle] > at) high = middle; else low = middle;
  }
  return at - steps[low] <= steps[high] - at ? low : high;
}
for (const plot of document.querySelectorAll(".plot")) {
  const area = plot.querySelector(".area");
  const series = JSON.parse(plot.dataset.series), low = +plot.dataset.low, high = +plot.dataset.high;
  const cursor = document.createElement("div");
  cursor.className = "cursor";
  cursor.hidden = true;
  area.append(cursor);
  area.addEventListener("pointermove", event => {
    const at = low + fractions(area, event)[0] * (high - low);
    const step = series[0].steps[nearest(series[0].steps, at)];
    cursor.hidden = false;
    cursor.style.left = (step - low) / (high - low) * 100 + "%";
    const line = s => { const i = nearest(s.steps, step); return s.label + ": " + s.texts[i] + (s.steps[i] === step ? "" : " (step " + s.steps[i] + ")"); };
    show(event, "step " + step + "\n" + series.map(line).join("\n"));
  });
  area.addEventListener("pointerleave", () => { cursor.hidden = true; tip.hidden = true; });
}
const TENTHS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-";
for (const heat of document.querySelectorAll(".heat")) {
  const area = heat.querySelector(".area"), { cells, steps, unit } = heat.dataset;
  const names = steps.split(","), columns = +heat.dataset.columns, experts = +heat.dataset.experts;
  area.addEventListener("pointermove", event => {
    const [x, y] = fractions(area, event);
    const column = Math.floor(x * columns), expert = Math.floor(y * experts);
    const load = TENTHS.indexOf(cells[expert * columns + column]);
    const text = load < 0 ? "no rows" : (load === TENTHS.length - 1 ? "at least " : "") + (load / 10).toFixed(1) + " × mean";
    show(event, unit + " " + expert + ", step " + names[column] + "\n" + text);
  });
  area.addEventListener("pointerleave", () => { tip.hidden = true; });
}
for (const part of document.querySelectorAll("[data-tip]")) {
  part.addEventListener("pointermove", event => show(event, part.dataset.tip));
  part.addEventListener("pointerleave", () => { tip.hidden = true; });
}

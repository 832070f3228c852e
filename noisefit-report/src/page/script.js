"use strict";
(() => {
  const held = JSON.parse(document.getElementById("noisefit-data").textContent);
  const tip = document.getElementById("tip");

  // What a mark says is said beside the pointer, at once.
  const said = (mark) => {
    const title = mark.querySelector("title");
    if (title) {
      mark.dataset.tip = title.textContent;
      title.remove();
    }
    return mark.dataset.tip;
  };
  const hide = () => { tip.hidden = true; };
  document.addEventListener("pointerover", (event) => {
    const mark = event.target.closest ? event.target.closest("g.tt") : null;
    if (!mark) { hide(); return; }
    tip.textContent = said(mark);
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    const left = Math.min(event.clientX + 12, window.innerWidth - box.width - 8);
    const top = event.clientY + 16 + box.height > window.innerHeight ? event.clientY - box.height - 10 : event.clientY + 16;
    tip.style.left = Math.max(4, left) + "px";
    tip.style.top = Math.max(4, top) + "px";
  });
  document.addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  document.addEventListener("scroll", hide, { passive: true });

  const element = (name, text) => {
    const made = document.createElement(name);
    if (text !== undefined) made.textContent = text;
    return made;
  };
  const MOST = 200;

  // The data of a chart as tables, made when they are asked for.
  const tables = (chart) => {
    const all = document.createDocumentFragment();
    for (const series of chart.series) {
      const rows = Math.max(0, ...series.columns.map((column) => column.values.length));
      const box = element("div");
      box.className = "scroll";
      box.tabIndex = 0;
      box.setAttribute("role", "region");
      const name = (series.name || series.mark) + (rows > MOST ? `, the first ${MOST} of ${rows}` : "");
      box.setAttribute("aria-label", `${chart.title}: ${name}`);
      const table = element("table");
      const caption = element("caption");
      caption.append(element("span", name));
      table.append(caption);
      const head = element("tr");
      for (const column of series.columns) {
        const cell = element("th", column.name);
        cell.scope = "col";
        head.append(cell);
      }
      const top = element("thead");
      top.append(head);
      const body = element("tbody");
      for (let i = 0; i < Math.min(rows, MOST); i += 1) {
        const row = element("tr");
        series.columns.forEach((column, j) => {
          const value = column.values[i];
          const names = series.mark === "intervals" && j === 1 ? chart.y.categories : null;
          row.append(element("td", value === null || value === undefined ? "" : names ? names[Math.round(value) - 1] : String(value)));
        });
        body.append(row);
      }
      table.append(top, body);
      box.append(table);
      all.append(box);
    }
    return all;
  };
  for (const details of document.querySelectorAll("details.data")) {
    details.addEventListener("toggle", () => {
      const place = details.querySelector("div");
      if (details.open && !place.hasChildNodes()) place.append(tables(held.charts[Number(details.dataset.chart)]));
    });
  }
})();

// Looks at pages in headless Chromium as a reader does, and says what is wrong with them, a line each.
//
// node look.mjs CHROMIUM [--axe axe.min.js] [--shots FOLDER] PAGE...
//
// It speaks the browser's DevTools protocol through a pipe, so that no package is needed; with axe-core it looks for what keeps people
// out, too.

import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const words = process.argv.slice(2);
const option = (name) => {
  const place = words.indexOf(name);
  return place < 0 ? undefined : words.splice(place, 2)[1];
};
const axe = option("--axe");
const shots = option("--shots");
const [chromium, ...pages] = words;

const folder = mkdtempSync(join(tmpdir(), "noisefit-browser-"));
const browser = spawn(
  chromium,
  ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--remote-debugging-pipe", `--user-data-dir=${folder}`],
  { stdio: ["ignore", "ignore", "ignore", "pipe", "pipe"] },
);

let number = 0;
const waiting = new Map();
const listeners = new Set();
let rest = "";
browser.stdio[4].setEncoding("utf8");
browser.stdio[4].on("data", (chunk) => {
  const messages = (rest + chunk).split("\0");
  rest = messages.pop();
  for (const text of messages) {
    const message = JSON.parse(text);
    if (message.id !== undefined) {
      const { done, fail } = waiting.get(message.id);
      waiting.delete(message.id);
      if (message.error) fail(new Error(JSON.stringify(message.error)));
      else done(message.result);
    } else {
      listeners.forEach((listener) => listener(message));
    }
  }
});
const send = (method, params = {}, sessionId = undefined) =>
  new Promise((done, fail) => {
    number += 1;
    waiting.set(number, { done, fail });
    browser.stdio[3].write(JSON.stringify({ id: number, method, params, sessionId }) + "\0");
  });

const problems = [];

// What is to be seen of the page as it is laid out now; runs in the page.
const inspect = () => {
  const wrong = [];
  const visible = (element) => element.getClientRects().length > 0;
  const figures = [...document.querySelectorAll("figure")];
  if (figures.length === 0) wrong.push("there is no chart");
  for (const figure of figures) {
    const kind = figure.dataset.kind;
    const drawn = [...figure.querySelectorAll(":scope svg")].filter(visible);
    if (drawn.length !== 1) { wrong.push(`${kind}: ${drawn.length} pictures are shown`); continue; }
    const [svg] = drawn;
    const box = svg.getBoundingClientRect();
    if (box.width < 200 || box.height < 120) wrong.push(`${kind}: ${box.width} x ${box.height}`);
    if (!svg.getAttribute("aria-label")) wrong.push(`${kind}: no words for those who do not see it`);
    const marks = svg.querySelectorAll("g[clip-path] circle, g[clip-path] path, g[clip-path] rect, circle, path").length;
    if (marks === 0) wrong.push(`${kind}: nothing is drawn`);
    const texts = [...svg.querySelectorAll("text")].map((text) => ({
      text: text.textContent,
      box: text.getBoundingClientRect(),
      // Whichever way the text is turned.
      size: parseFloat(getComputedStyle(text).fontSize) * box.width / svg.viewBox.baseVal.width,
    }));
    for (const { text, box: own, size } of texts) {
      if (own.left < box.left - 2 || own.right > box.right + 2 || own.top < box.top - 2 || own.bottom > box.bottom + 2) {
        wrong.push(`${kind}: '${text}' is cut off`);
      }
      if (text !== "" && !(size >= 8.5)) wrong.push(`${kind}: the letters of '${text}' are of size ${size.toFixed(1)}`);
    }
    texts.forEach((one, i) => texts.slice(i + 1).forEach((other) => {
      const wide = Math.min(one.box.right, other.box.right) - Math.max(one.box.left, other.box.left);
      const high = Math.min(one.box.bottom, other.box.bottom) - Math.max(one.box.top, other.box.top);
      if (wide > 2 && high > 4) wrong.push(`${kind}: '${one.text}' lies on '${other.text}'`);
    }));
  }
  if (document.documentElement.scrollWidth > window.innerWidth + 1) {
    wrong.push(`the page is ${document.documentElement.scrollWidth} wide`);
  }
  return { wrong, ground: getComputedStyle(document.body).backgroundColor };
};

// Opens the data of every chart and holds the tables against what the page holds; runs in the page.
const openData = () => {
  const held = JSON.parse(document.getElementById("noisefit-data").textContent);
  const wrong = [];
  document.querySelectorAll("details.data").forEach((details) => { details.open = true; });
  return new Promise((done) => setTimeout(() => {
    document.querySelectorAll("figure").forEach((figure, i) => {
      const chart = held.charts[i];
      const tables = [...figure.querySelectorAll("details table")];
      if (tables.length !== chart.series.length) wrong.push(`${chart.kind}: ${tables.length} tables of ${chart.series.length} series`);
      tables.forEach((table, k) => {
        const rows = Math.max(0, ...chart.series[k].columns.map((column) => column.values.length));
        if (table.tBodies[0].rows.length !== Math.min(rows, 200)) wrong.push(`${chart.kind}: ${table.tBodies[0].rows.length} rows of ${rows}`);
      });
    });
    document.querySelectorAll("details.data").forEach((details) => { details.open = false; });
    done(wrong);
  }, 50));
};

async function look(page) {
  const { targetId } = await send("Target.createTarget", { url: "about:blank" });
  const { sessionId } = await send("Target.attachToTarget", { targetId, flatten: true });
  const tell = (method, params) => send(method, params, sessionId);
  const name = basename(page);
  const complain = (where, what) => problems.push(`${name} (${where}): ${what}`);
  listeners.add((message) => {
    if (message.sessionId !== sessionId) return;
    if (message.method === "Runtime.exceptionThrown") complain("script", message.params.exceptionDetails.text);
    if (message.method === "Log.entryAdded" && message.params.entry.level === "error") complain("console", message.params.entry.text);
    if (message.method === "Runtime.consoleAPICalled" && message.params.type === "error") complain("console", "console.error");
    if (message.method === "Network.requestWillBeSent" && !/^(file|data|about):/.test(message.params.request.url)) {
      complain("network", message.params.request.url);
    }
    if (message.method === "Page.javascriptDialogOpening") complain("script", "a dialog was opened");
  });
  for (const domain of ["Page", "Runtime", "Log", "Network"]) await tell(`${domain}.enable`);
  const run = async (f, ...values) => {
    const expression = `(${f})(${values.map((value) => JSON.stringify(value)).join(",")})`;
    const { result, exceptionDetails } = await tell("Runtime.evaluate", { expression, returnByValue: true, awaitPromise: true });
    if (exceptionDetails) throw new Error(`${exceptionDetails.text} ${exceptionDetails.exception?.description ?? ""}`);
    return result.value;
  };
  const grounds = {};
  for (const width of [320, 1600]) {
    await tell("Emulation.setDeviceMetricsOverride", { width, height: 900, deviceScaleFactor: 1, mobile: false });
    const loaded = new Promise((done) => {
      const listener = (message) => {
        if (message.sessionId === sessionId && message.method === "Page.loadEventFired") { listeners.delete(listener); done(); }
      };
      listeners.add(listener);
    });
    await tell("Page.navigate", { url: pathToFileURL(resolve(page)).href });
    await loaded;
    for (const scheme of ["light", "dark"]) {
      await tell("Emulation.setEmulatedMedia", { features: [{ name: "prefers-color-scheme", value: scheme }] });
      const { wrong, ground } = await run(inspect);
      grounds[scheme] = ground;
      wrong.forEach((what) => complain(`${width} ${scheme}`, what));
      if (axe) {
        await tell("Runtime.evaluate", { expression: readFileSync(axe, "utf8") });
        const found = await run(`() => axe.run().then((r) => r.violations.filter((v) => ["serious", "critical"].includes(v.impact))
          .map((v) => v.id + ": " + v.nodes.slice(0, 3).map((n) => n.html.slice(0, 160)).join(" | ")))`);
        found.forEach((what) => complain(`${width} ${scheme}, axe`, what));
      }
      if (shots) {
        const { cssContentSize } = await tell("Page.getLayoutMetrics");
        const clip = { x: 0, y: 0, width, height: Math.min(cssContentSize.height, 16000), scale: 1 };
        const { data } = await tell("Page.captureScreenshot", { captureBeyondViewport: true, clip });
        writeFileSync(join(shots, `${name}-${width}-${scheme}.png`), Buffer.from(data, "base64"));
      }
    }
    (await run(openData)).forEach((what) => complain(width, what));
  }
  if (grounds.light === grounds.dark) complain("dark", "the page looks as in the light");

  // A mark says its numbers to the pointer.
  const place = await run(() => {
    const marks = [...document.querySelectorAll("g.tt")].filter((one) => one.getClientRects().length > 0);
    if (marks.length === 0) return null;
    marks[0].closest("figure").scrollIntoView({ block: "center" });
    // Once the page has come to rest, a mark that nothing lies on.
    const rest = new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)));
    return rest.then(() => {
      for (const mark of marks) {
        const box = mark.getBoundingClientRect();
        const place = { x: box.left + box.width / 2, y: box.top + box.height / 2 };
        if (document.elementFromPoint(place.x, place.y)?.closest("g.tt") === mark) return place;
      }
      return { x: 0, y: 0 };
    });
  });
  if (place) {
    await tell("Input.dispatchMouseEvent", { type: "mouseMoved", ...place });
    const said = await run(() => {
      const tip = document.getElementById("tip");
      return tip.hidden ? "" : tip.textContent;
    });
    if (!/[0-9]/.test(said)) complain("tooltip", `it says '${said}'`);
  }
  const { data } = await tell("Page.printToPDF", { printBackground: true });
  const bytes = Buffer.from(data, "base64");
  if (bytes.length < 20_000 || bytes.subarray(0, 5).toString() !== "%PDF-") complain("print", `${bytes.length} bytes`);
  if (shots) writeFileSync(join(shots, `${name}.pdf`), bytes);
  await send("Target.closeTarget", { targetId });
}

try {
  for (const page of pages) await look(page);
} catch (error) {
  problems.push(`the browser: ${error.stack ?? error}`);
}
const gone = new Promise((done) => browser.once("exit", done));
browser.kill();
await gone;
try {
  rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
} catch {
  // A process of the browser that outlives it still writes there; the folder is a temporary one.
}
problems.forEach((problem) => console.log(problem));
process.exit(problems.length > 0 ? 1 : 0);

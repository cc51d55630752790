// The page: takes an image, lets the worker translate it, and shows both.

import { fromNetwork, toNetwork } from "./pixels.js";

const MOST = 2.5e6;  // pixels; the memory that WebAssembly can have, 4 GB, is full soon after
const AUTOMATIC = 512 * 512;  // pixels to which larger images are scaled down unless a size is chosen
const SIDES = [256, 512, 768, 1024, 1536];  // of the longer side, pixels

const part = Object.fromEntries([...document.querySelectorAll("[id]")].map(element => [element.id, element]));
let networks = [], image = null, name = "", job = 0, given = null, worker = null, started = 0;

function say(state, text, share = null) {
  document.body.dataset.state = state;
  part.message.textContent = text;
  if (share === null) part.progress.removeAttribute("value");
  else part.progress.value = share;
}

async function open(file) {
  const turn = ++job;
  if (image) part.result.classList.add("stale");
  let opened;
  try {
    opened = await createImageBitmap(file);
  } catch {
    if (turn === job) say("error", `${file.name || "This"} is no image that this browser can read.`);
    return;
  }
  if (turn !== job) return;  // another image came meanwhile
  image = opened;
  name = (file.name || "image").replace(/\.[^.]*$/, "");
  translate();
}

// Return width and height at which the image is translated; null if that is too much.
function chosenSize() {
  const { width, height } = image, longer = Math.max(width, height);
  const wish = part.size.value;
  let factor = 1;
  if (wish === "auto") factor = Math.min(1, Math.sqrt(AUTOMATIC / (width * height)));
  else if (wish !== "full") factor = Number(wish) / longer;
  const size = [width, height].map(side => Math.max(1, Math.round(side * factor)));
  return size[0] * size[1] <= MOST ? size : null;
}

function translate() {
  if (!image) return;
  const id = ++job, { file, input, megabytes } = networks[part.direction.selectedIndex];
  part.result.classList.add("stale");
  part.download.disabled = true;
  const size = chosenSize();
  if (!size) {
    say("error", `${image.width} x ${image.height} pixels are too many for a browser; choose a smaller size.`);
    return;
  }
  given = drawn(image, size);
  show("input", given, image);
  const { values, dims } = toNetwork(given, input);
  say("busy", `Loading the network, ${megabytes} MB …`, 0);
  started = performance.now();
  worker ??= startWorker();
  worker.postMessage({ id, file, values, dims }, [values.buffer]);
}

function startWorker() {
  const made = new Worker(new URL("./worker.js", import.meta.url), { type: "module" });
  made.onmessage = ({ data }) => { if (data.id === job) answered(data); };
  made.onerror = event => {
    worker = null;
    say("error", `The translation failed: ${event.message || "its program could not be loaded"}.`);
  };
  return made;
}

function answered({ loading, values, dims, error }) {
  if (error !== undefined) failed(error);
  else if (values) {
    show("result", fromNetwork({ values, dims }, given), null);
    part.download.disabled = false;
    say("done", `Translated in ${((performance.now() - started) / 1000).toFixed(1)} seconds.`, 1);
  } else if (loading === null) {
    started = performance.now();
    say("busy", `Translating ${given.width} x ${given.height} pixels …`);
  } else say("busy", part.message.textContent, loading);
}

// A program that ran out of memory is not to be trusted: the next image gets a new one.
function failed(error) {
  worker.terminate();
  worker = null;
  const full = /memory|alloc|RangeError|out of bounds|^\d+$/i.test(error);
  say("error", full ? "The memory of the browser does not suffice; choose a smaller size." : `The translation failed: ${error}`);
}

function drawn(bitmap, [width, height]) {
  const context = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
  context.imageSmoothingQuality = "high";
  context.drawImage(bitmap, 0, 0, width, height);
  return context.getImageData(0, 0, width, height);
}

function show(which, image, original) {
  const canvas = part[which];
  [canvas.width, canvas.height] = [image.width, image.height];
  canvas.getContext("2d").putImageData(image, 0, 0);
  canvas.classList.add("shown");
  canvas.classList.remove("stale");
  const scaled = original && original.width !== image.width ? `, scaled from ${original.width} x ${original.height}` : "";
  part[`${which}-size`].textContent = `${image.width} x ${image.height}${scaled}`;
}

function download() {
  part.result.toBlob(blob => {
    const link = document.createElement("a");
    link.href = URL.createObjectURL(blob);
    link.download = `${name}_${networks[part.direction.selectedIndex].direction}.png`;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
  }, "image/png");
}

function listen() {
  part.file.addEventListener("change", () => { if (part.file.files[0]) open(part.file.files[0]); part.file.value = ""; });
  part.direction.addEventListener("change", translate);
  part.size.addEventListener("change", translate);
  part.download.addEventListener("click", download);
  part.controls.addEventListener("submit", event => event.preventDefault());
  const dragging = on => event => { event.preventDefault(); document.body.classList.toggle("dragging", on); };
  document.addEventListener("dragover", dragging(true));
  document.addEventListener("dragleave", dragging(false));
  document.addEventListener("drop", event => {
    dragging(false)(event);
    if (event.dataTransfer.files[0]) open(event.dataTransfer.files[0]);
    else say("error", "That was no file; save the image first, then drop it.");
  });
  document.addEventListener("paste", event => { if (event.clipboardData.files[0]) open(event.clipboardData.files[0]); });
}

async function start() {
  const page = await (await fetch("networks.json", { cache: "no-cache" })).json();
  networks = page.networks;
  part.title.textContent = document.title = page.title;
  part.direction.append(...networks.map(({ label }) => new Option(label)));
  part.direction.parentElement.hidden = networks.length === 1;
  part.size.append(new Option("automatic", "auto"), new Option("as it is", "full"));
  for (const side of SIDES) part.size.append(new Option(`${side} pixels`, side));
  listen();
  say("ready", "Choose an image, drop one anywhere on the page, or paste one.");
}

start().catch(error => say("error", `The page is not complete: ${error.message}`));

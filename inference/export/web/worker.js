// Runs networks beside the page, so that it stays alive. One thread: that needs no special headers of the server.
//
// Takes {id, file, values, dims}; answers {id, loading, values, dims, error}, some of them, one message after another.

import * as ort from "./onnxruntime.js";

ort.env.wasm.numThreads = 1;
ort.env.wasm.wasmPaths = { wasm: new URL("./onnxruntime.wasm", import.meta.url).href };
ort.env.logLevel = "error";

let loaded = { file: null, session: null };  // one network at a time: they are large
let newest = 0;
let queue = Promise.resolve();

self.onmessage = ({ data: job }) => {
  newest = job.id;
  queue = queue.then(() => work(job));
};

async function work({ id, file, values, dims }) {
  if (id !== newest) return;  // a later image has taken its place
  try {
    const session = await network(file, share => self.postMessage({ id, loading: share }));
    self.postMessage({ id, loading: null });
    const { translation } = await session.run({ image: new ort.Tensor("float32", values, dims) });
    const made = { id, values: translation.data, dims: translation.dims };
    self.postMessage(made);
    translation.dispose();
  } catch (error) {
    self.postMessage({ id, error: String(error?.message ?? error) });
  }
}

async function network(file, report) {
  if (loaded.file !== file) {
    await loaded.session?.release();
    loaded = { file: null, session: null };
    const session = await ort.InferenceSession.create(await download(file, report), { executionProviders: ["wasm"] });
    loaded = { file, session };
  }
  return loaded.session;
}

// Return the bytes of a file; tells the share that has come.
async function download(file, report) {
  const answer = await fetch(file, { cache: "no-cache" });  // a newer one may have taken its place
  if (!answer.ok) throw new Error(`the network ${file} cannot be downloaded (${answer.status} ${answer.statusText})`);
  const total = Number(answer.headers.get("Content-Length")), parts = [];
  let size = 0;
  for (const reader = answer.body.getReader(); ;) {
    const { done, value } = await reader.read();
    if (done) break;
    parts.push(value);
    size += value.length;
    report(total ? Math.min(1, size / total) : 0);
  }
  return new Uint8Array(await new Blob(parts).arrayBuffer());
}

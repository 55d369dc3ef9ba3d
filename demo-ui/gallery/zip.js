/** Saves several pictures as one ZIP archive, which a service worker streams to the browser. */

const WORKER = new URL("zip_worker.js", import.meta.url);
const REVOKED_AFTER = 60_000; // milliseconds: the browser may still be saving it

/** Returns the worker; null where there is none, as on plain http or in a private window. */
async function findWorker() {
  if (!navigator.serviceWorker) return null;
  try {
    const registration = await navigator.serviceWorker.register(WORKER, { type: "module" });
    const worker = registration.active ?? registration.waiting ?? registration.installing;
    if (worker.state === "activated") return worker;
    const isActive = await new Promise((resolve) => {
      worker.addEventListener("statechange", () => ["activated", "redundant"].includes(worker.state) && resolve(worker.state === "activated"));
    });
    return isActive ? worker : null;
  } catch {
    return null; // a setting of the browser forbids it, or it knows no modules there: the archive is made in memory
  }
}

/** Saves `entries` ({name, url}) as an archive. `tell({done, failed})` hears of each file; `failed` is the name. */
export async function saveZip(name, entries, tell) {
  const worker = await findWorker();
  if (worker) return stream(worker, name, entries, tell);
  const { archive } = await import("./zip_files.js");
  const url = URL.createObjectURL(await archive(entries, tell).blob());
  save(url, name);
  setTimeout(() => URL.revokeObjectURL(url), REVOKED_AFTER);
}

async function stream(worker, name, entries, tell) {
  const id = crypto.randomUUID();
  const { port1, port2 } = new MessageChannel();
  const finished = new Promise((resolve) => {
    port1.onmessage = ({ data }) => {
      if (data.ready) return save(new URL(`zip/${id}`, WORKER), "");
      tell(data);
      if (data.done === entries.length) resolve();
    };
  });
  worker.postMessage({ id, name, entries }, [port2]);
  await finished;
}

/** Follows a link; without `name` the answer itself says that it is a file to save. */
function save(url, name) {
  const link = document.createElement("a");
  link.href = url;
  if (name) link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
}

/** A service worker that answers one kind of address: an archive, which it writes while the browser saves it. */

import { archive } from "./zip_files.js";

const archives = new Map(); // by the last part of their address: {id, name, entries, port}

addEventListener("install", () => skipWaiting());
addEventListener("message", ({ data, ports: [port] }) => {
  archives.set(data.id, { ...data, port });
  port.postMessage({ ready: true });
});
addEventListener("fetch", (event) => {
  const requested = archives.get(new URL(event.request.url).pathname.split("/").pop());
  if (!requested) return;
  const { id, name, entries, port } = requested;
  archives.delete(id);
  const { body } = archive(entries, (told) => port.postMessage(told));
  const disposition = `attachment; filename*=UTF-8''${encodeURIComponent(name)}`;
  event.respondWith(new Response(body, { headers: { "Content-Type": "application/zip", "Content-Disposition": disposition } }));
});

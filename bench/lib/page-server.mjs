// Serves the page of the browser measurement and the client package, on loopback.

import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { extname, join, normalize } from "node:path";
import { BENCH, ROOT } from "./programs.mjs";

const TYPES = { ".html": "text/html", ".js": "text/javascript", ".wasm": "application/wasm" };
const GOLDEN_HELLO = join(ROOT, "protocol", "golden", "server", "server.hello.json");

/** The page's address, and how to end its server. */
export async function servePage() {
  const server = createServer((request, response) => {
    try {
      const { pathname } = new URL(request.url, "http://localhost");
      const body = content(pathname === "/" ? "/index.html" : normalize(pathname));
      response.writeHead(200, { "content-type": TYPES[extname(pathname)] ?? "text/html" }).end(body);
    } catch {
      response.writeHead(404).end();
    }
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return { url: `http://127.0.0.1:${server.address().port}/`, close: () => server.close() };
}

function content(path) {
  if (path.startsWith("/client/")) return readFileSync(join(ROOT, "client-wasm", "pkg", path.slice("/client/".length)));
  const body = readFileSync(join(BENCH, "browser", path));
  if (path !== "/frames.js") return body;
  const { data } = JSON.parse(readFileSync(GOLDEN_HELLO, "utf8"));
  return body.toString().replace("/* HELLO */ {}", JSON.stringify(data));
}

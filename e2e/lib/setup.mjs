// One proxy and one browser for all tests of a file; a page of its own for each test.

import assert from "node:assert/strict";
import { after, before } from "node:test";
import { launch, openPage } from "./browser.mjs";
import { connected } from "./chat.mjs";
import { startProxy } from "./proxy.mjs";
import { startWire } from "./wire.mjs";

/** Registers the file's set-up and returns how its tests get at it. */
export function setUp(proxyOptions = {}) {
  const shared = {};
  before(async () => {
    shared.proxy = await startProxy(proxyOptions);
    shared.browser = await launch();
  });
  after(async () => {
    await shared.browser?.close();
    await shared.proxy?.stop();
  });
  const suite = {
    get proxy() {
      return shared.proxy;
    },
    set proxy(proxy) {
      shared.proxy = proxy;
    },
    /**
     * Runs `body` with a page once it is `ready`, which is to be connected. Afterwards nothing may have gone wrong in it that a
     * person did not see coming; `expected` takes out what this test provokes.
     */
    async withPage(body, { expected = () => false, ready = connected, ...options } = {}) {
      const { page, context, faults } = await openPage(shared.browser, shared.proxy.url, options);
      try {
        await ready(page);
        await body(page);
        assert.deepEqual(faults.filter((fault) => !expected(fault)), []);
      } finally {
        await context.close();
      }
    },
    /** As `withPage`, with a page that reaches a proxy of its own through a wire. */
    async withWire(body, { proxyOptions, ...options }) {
      const wire = await startWire();
      const direct = shared.proxy;
      // The page comes from another port than the proxy's own, so that its origin has to be allowed.
      const behind = await startProxy({ ...proxyOptions, args: ["--allowed-origins", wire.url] });
      try {
        wire.lead(behind.port);
        shared.proxy = { ...behind, url: wire.url };
        await suite.withPage((page) => body(page, wire, behind), options);
      } finally {
        shared.proxy = direct;
        await wire.close();
        await behind.stop();
      }
    },
  };
  return suite;
}

// Entry of every npm script: `node scripts/main.cjs <command> [arguments]`. Written in the JavaScript that any Node can parse, so
// that an old Node gets one line instead of a syntax error.
"use strict";

var OLDEST_NODE = 20;
var COMMANDS = ["start", "dev", "test", "bench", "build", "fuzz", "reliability", "setup"];

var command = process.argv[2];
if (parseInt(process.versions.node, 10) < OLDEST_NODE) {
  fail("Outcrop needs Node " + OLDEST_NODE + " or newer; this is Node " + process.versions.node + ". Install a newer one from https://nodejs.org and try again.");
} else if (COMMANDS.indexOf(command) < 0) {
  fail("Usage: node scripts/main.cjs " + COMMANDS.join("|"));
} else {
  import("./lib/entry.mjs").then(function (entry) {
    return entry.runCommand(command, process.argv.slice(3));
  });
}

function fail(message) {
  console.error(message);
  process.exit(1);
}

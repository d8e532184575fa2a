import { cpSync } from "node:fs";
import webpack from "webpack";

webpack({ mode: "production" }, (error, stats) => {
  if (error) throw error;
  if (stats.hasErrors() || stats.hasWarnings()) throw new Error(stats.toString());
  cpSync("public", "dist", { recursive: true });
});

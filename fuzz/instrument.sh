#!/bin/sh
# Cargo's RUSTC_WRAPPER: gives our own crates, and them alone, the coverage counters that libFuzzer reads. These are the flags of
# cargo-fuzz with `--sanitizer none`; all of them work with a stable compiler.
case "$CARGO_PKG_NAME" in
outcrop-*)
  exec "$@" -Cpasses=sancov-module -Cllvm-args=-sanitizer-coverage-level=4 \
    -Cllvm-args=-sanitizer-coverage-inline-8bit-counters -Cllvm-args=-sanitizer-coverage-pc-table \
    -Cllvm-args=-sanitizer-coverage-trace-compares
  ;;
*) exec "$@" ;;
esac

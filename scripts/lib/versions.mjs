// Versions of the tools that the scripts install. `wasm-bindgen` must equal the crate's version in Cargo.lock.

export const WASM_BINDGEN = "0.2.130";
export const WASM_PACK = "0.15.1";
export const GECKODRIVER = "0.37.1";

/** `rust-version` of the workspace; older compilers fail deep inside a dependency. */
export const OLDEST_RUST = "1.94.1";

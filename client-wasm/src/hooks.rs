//! What the package's JavaScript is told.

use wasm_bindgen::prelude::*;

#[wasm_bindgen]
extern "C" {
    /// The object that is told. Its methods must not throw; they may call the `Core` that calls them.
    pub type Hooks;

    /// Get a token and give it to `Core.token` with the same attempt.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn token(this: &Hooks, attempt: u32);

    /// The connection stands elsewhere: the JSON of a `ConnectionStatus`.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn status(this: &Hooks, json: &str);

    /// `Core.take` has something for this handle.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn news(this: &Hooks, handle: u32, ended: bool);

    /// A request has its reply: the JSON of its data, or else of its error.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn reply(this: &Hooks, handle: u32, ok: bool, json: &str);

    /// `Core.usage` has grown.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn usage(this: &Hooks);
}

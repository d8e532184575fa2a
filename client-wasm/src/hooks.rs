//! What the package's JavaScript is told.

use js_sys::Function;
use wasm_bindgen::prelude::*;
use web_sys::WebSocket;

#[wasm_bindgen]
extern "C" {
    /// The object that is told. Its methods but `open` must not throw; they may call the `Core` that calls them.
    pub type Hooks;

    /// A new socket: of the browser's class or of one that the page has in its place.
    #[wasm_bindgen(method, structural, catch)]
    pub(crate) fn open(this: &Hooks, url: &str, protocol: &str) -> Result<WebSocket, JsValue>;

    /// The listener for a socket's `message` events: one that gives them to `receive`, or that holds back what it may.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn listener(this: &Hooks, receive: &Function) -> Function;

    /// Frames that begin with `head` say more of the answer `handle`. They may be held back while news of it wait to be taken:
    /// text that stays in JavaScript until then crosses once, joined, and without what the last frame said too.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn head(this: &Hooks, handle: u32, head: &str);

    /// What was held back since the last call: of each frame what follows the head, in its order, each ended by a line feed.
    #[wasm_bindgen(method, structural)]
    pub(crate) fn held(this: &Hooks) -> Option<String>;

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

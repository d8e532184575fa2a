//! The browser shell of the Outcrop client: WebSocket, timers and browser events around [`client_core`], for the hand-written
//! JavaScript in `npm/`, which is the package's surface.
//!
//! Which crate does what, and which does not:
//!
//! - `web-sys` opens the socket. gloo-net's WebSocket would hide the close code once it is split, and reads into a queue without a
//!   bound; the protocol decides by the close code whether to connect again.
//! - `gloo-timers` runs the one timer.
//! - JSON goes to JavaScript as text, for the engine's own `JSON.parse`: serde-wasm-bindgen costs 28 to 35 KB gzip, more than the
//!   rest of the module.
//! - The token is a promise of the user's, awaited in JavaScript: an executor for it, `wasm-bindgen-futures`, would have no other use.
//!
//! No JavaScript is called while a `RefCell` is borrowed: what is to be called is queued in the core, and `shell::Shell::flush` is
//! the one exit.

mod environment;
mod hooks;
mod json;
mod shell;

use std::rc::Rc;

use client_core::{Handle, Input, RequestError, SendOptions};
use wasm_bindgen::prelude::*;

use crate::{hooks::Hooks, shell::Shell};

/// A connection to one proxy, as the JavaScript of this package sees it. What cannot be returned is told to its hooks.
#[wasm_bindgen]
pub struct Core {
    shell: Rc<Shell>,
}

#[wasm_bindgen]
impl Core {
    /// A client of the proxy at `url`, a WebSocket address. Does nothing yet.
    #[wasm_bindgen(constructor)]
    pub fn new(url: String, hooks: Hooks) -> Core {
        Core { shell: Shell::new(url, hooks) }
    }

    /// Connects, if that is not under way already.
    pub fn connect(&self) {
        self.shell.input(Input::Connect);
    }

    /// Gives the token that `hooks.token(attempt)` asked for, or the reason why there is none.
    pub fn token(&self, attempt: u32, token: Option<String>, error: Option<String>) {
        let result = error.map_or(Ok(token), Err);
        self.shell.input(Input::Token { attempt, result });
    }

    /// Sends a message, the JSON of a `SendMessage`, and returns its handle. `id` is its idempotency key, if the page chose one,
    /// and `resent` says whether it may have been sent before under that.
    ///
    /// # Errors
    /// The JSON of an error, as a string, for a message that is not taken.
    pub fn send(
        &self,
        data: &str,
        streaming: bool,
        session_id: Option<String>,
        model: Option<String>,
        id: Option<String>,
        resent: bool,
    ) -> Result<u32, JsValue> {
        let (session_id, model, id) = (session_id.as_deref(), model.as_deref(), id.as_deref());
        let options = SendOptions { streaming, session_id, model, id, resent };
        self.shell.with(|client, now| client.send_message(now, data, options)).map_err(refusal).map(number)
    }

    /// Asks a question again for a streamed answer, with the JSON of a `Regenerate`, and returns its handle. The rest is as of `send`.
    ///
    /// # Errors
    /// The JSON of an error, as a string, for a request that is not taken.
    pub fn regenerate(
        &self,
        data: &str,
        session_id: Option<String>,
        model: Option<String>,
        id: Option<String>,
        resent: bool,
    ) -> Result<u32, JsValue> {
        let (session_id, model, id) = (session_id.as_deref(), model.as_deref(), id.as_deref());
        let options = SendOptions { streaming: true, session_id, model, id, resent };
        self.shell.with(|client, now| client.regenerate(now, data, options)).map_err(refusal).map(number)
    }

    /// Follows an answer that was asked for elsewhere and returns its handle; `held` is the JSON of a `Snapshot` of it.
    ///
    /// # Errors
    /// The JSON of an error, as a string, for an answer that is not followed.
    pub fn follow(&self, held: &str) -> Result<u32, JsValue> {
        self.shell.with(|client, now| client.follow(now, held)).map_err(refusal).map(number)
    }

    /// Sends a request that has one reply and returns its handle.
    ///
    /// # Errors
    /// The JSON of an error, as a string, for a request that is not taken.
    pub fn call(&self, kind: &str, data: &str) -> Result<u32, JsValue> {
        self.shell.with(|client, now| client.call(now, kind, data)).map_err(refusal).map(number)
    }

    /// Stops an answer.
    pub fn cancel(&self, handle: u32) {
        self.shell.with(|client, now| client.cancel(now, Handle(handle)));
    }

    /// Says that nobody waits for a request any more.
    pub fn release(&self, handle: u32) {
        self.shell.with(|client, _| client.release(Handle(handle)));
    }

    /// What is new of a streamed answer: the JSON of an array of chunks. The last chunk of an answer is `done` or `failed`.
    pub fn take(&self, handle: u32) -> String {
        let mut chunks = json::Chunks::default();
        self.shell.with(|client, _| client.take(Handle(handle), |news| chunks.push(&news)));
        chunks.finish()
    }

    /// The JSON of what was used so far.
    pub fn usage(&self) -> String {
        self.shell.with(|client, _| json::page_usage(client.usage()))
    }

    /// Ends for good and lets go of the socket, the timer and every listener.
    pub fn close(&self) {
        self.shell.input(Input::Close);
    }
}

/// What a usage costs in nano-dollars, of the JSON of `{ price: ModelPrice, usage: Usage }`; nothing where that is not known.
#[wasm_bindgen]
pub fn cost_nano_usd(priced: &str) -> Option<f64> {
    protocol::codec::cost_nano_usd(priced).ok().flatten().map(|nano| nano as f64)
}

/// Half the code of the standard library's allocator, and quicker.
#[cfg(all(target_family = "wasm", not(target_feature = "atomics")))]
#[global_allocator]
static ALLOCATOR: talc::wasm::WasmDynamicTalc = talc::wasm::new_wasm_dynamic_allocator();

fn refusal(error: RequestError) -> JsValue {
    JsValue::from_str(&json::error(&error))
}

fn number(handle: Handle) -> u32 {
    handle.0
}

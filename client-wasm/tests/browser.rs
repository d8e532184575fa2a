//! The shell in a real browser: what it does with sockets, timers and listeners. The WebSocket is a class of the test's own that opens,
//! delivers and closes when it is told to, since a browser test has no server.

#![cfg(target_arch = "wasm32")]

use std::{cell::RefCell, rc::Rc};

use js_sys::{Array, Function, Object, Promise, Reflect};
use outcrop_client_wasm::Core;
use wasm_bindgen::{JsCast, prelude::*};
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::*;

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(inline_js = r#"
    export class FakeSocket {
        constructor(url, protocols) {
            Object.assign(this, { url, protocols, sent: [], onopen: null, onmessage: null, onclose: null });
            FakeSocket.all.push(this);
            FakeSocket.next?.(this);
        }
        send(text) { this.sent.push(text); }
        close(code) { this.closedWith = code ?? 1000; }
    }
    FakeSocket.all = [];
    const real = globalThis.WebSocket;
    export function install() { FakeSocket.all = []; globalThis.WebSocket = FakeSocket; }
    export function installBroken() { globalThis.WebSocket = class { constructor() { throw new SyntaxError("no"); } }; }
    export function uninstall() { globalThis.WebSocket = real; }
    export function sockets() { return FakeSocket.all.length; }
    export function latest() { return FakeSocket.all.at(-1); }
    export function open(socket) { socket.onopen(new Event("open")); }
    export function receive(socket, data) { socket.onmessage(new MessageEvent("message", { data })); }
    export function lose(socket, code, reason) { socket.onclose(new CloseEvent("close", { code, reason })); }
    export function listens(socket) { return [socket.onopen, socket.onmessage, socket.onclose].filter(Boolean).length; }
    export function tell(type) { globalThis.dispatchEvent(new Event(type)); }
    export function next() { return new Promise((resolve) => { FakeSocket.next = resolve; }); }

    const listeners = new Map();
    for (const target of [EventTarget.prototype]) {
        const { addEventListener, removeEventListener } = target;
        target.addEventListener = function (type, listener, ...rest) {
            if (/^(online|offline|pageshow|focus|resume|visibilitychange)$/.test(type)) listeners.set(listener, (listeners.get(listener) ?? 0) + 1);
            return addEventListener.call(this ?? globalThis, type, listener, ...rest);
        };
        target.removeEventListener = function (type, listener, ...rest) {
            if (listeners.has(listener)) listeners.set(listener, listeners.get(listener) - 1);
            return removeEventListener.call(this ?? globalThis, type, listener, ...rest);
        };
    }
    export function listening() { return [...listeners.values()].reduce((sum, count) => sum + count, 0); }
"#)]
extern "C" {
    fn install();
    #[wasm_bindgen(js_name = installBroken)]
    fn install_broken();
    fn uninstall();
    fn sockets() -> u32;
    fn latest() -> JsValue;
    fn open(socket: &JsValue);
    fn receive(socket: &JsValue, data: &JsValue);
    fn lose(socket: &JsValue, code: u16, reason: &str);
    fn listens(socket: &JsValue) -> u32;
    fn listening() -> u32;
    fn tell(kind: &str);
    fn next() -> Promise;
}

const HELLO: &str = r#"{"version":1,"principal":{"user":"u","organization":"o"},"demo":true,"limits":{"maxFrameBytes":1,"maxMessageChars":1,"maxParallelTurns":1},"models":[{"model":"m","default":true}],"priceVersion":"v","tools":[]}"#;

/// What the hooks were told, in order.
#[derive(Clone, Default)]
struct Told(Rc<RefCell<Vec<String>>>);

impl Told {
    fn take(&self) -> Vec<String> {
        self.0.take()
    }
}

/// A core whose hooks write down what they are told; the token is given at once.
struct World {
    core: Rc<Core>,
    told: Told,
    object: Object,
    _hooks: Vec<Closure<dyn FnMut(JsValue, JsValue, JsValue)>>,
}

impl World {
    fn new() -> Self {
        let told = Told::default();
        let core: Rc<RefCell<Option<Rc<Core>>>> = Rc::default();
        let (object, mut closures) = (Object::new(), Vec::new());
        add_listeners(&object);
        for name in ["token", "status", "news", "reply", "usage"] {
            let (told, core) = (told.clone(), core.clone());
            let hook =
                Closure::<dyn FnMut(JsValue, JsValue, JsValue)>::new(move |a: JsValue, b: JsValue, c: JsValue| {
                    if name == "token" {
                        let attempt = a.as_f64().unwrap() as u32;
                        let core = core.borrow().clone().unwrap();
                        return core.token(attempt, Some(format!("t{attempt}")), None);
                    }
                    let text = |value: JsValue| value.as_string().unwrap_or_else(|| format!("{value:?}"));
                    let arguments = [a, b, c].into_iter().filter(|value| !value.is_undefined()).map(text);
                    told.0.borrow_mut().push(format!("{name} {}", arguments.collect::<Vec<_>>().join(" ")));
                });
            Reflect::set(&object, &name.into(), hook.as_ref()).unwrap();
            closures.push(hook);
        }
        let made = Rc::new(Core::new("ws://proxy.test/ws".into(), object.clone().unchecked_into()));
        core.replace(Some(made.clone()));
        Self { core: made, told, object, _hooks: closures }
    }

    /// A world whose core is connected.
    fn open() -> (Self, JsValue) {
        install();
        let world = Self::new();
        world.core.connect();
        let socket = latest();
        greet(&socket);
        world.told.take();
        (world, socket)
    }

    fn stream(&self) -> u32 {
        self.core.send(r#"{"message":"hi","streaming":true}"#, true, None, None, None, false).unwrap()
    }
}

/// The hooks of the socket: what the test told the page to hold back is given when it is asked for.
fn add_listeners(hooks: &Object) {
    let hook = |name: &str, arguments: &str, body: &str| {
        Reflect::set(hooks, &name.into(), &Function::new_with_args(arguments, body)).unwrap();
    };
    hook("open", "url, protocol", "return new WebSocket(url, protocol)");
    hook("listener", "receive", "return (event) => receive(event)");
    hook("head", "handle, head", "this.known = { handle, head }");
    hook("held", "", "const { holding } = this; this.holding = undefined; return holding");
}

fn greet(socket: &JsValue) {
    open(socket);
    let hello = frame_id(&sent(socket)[0]);
    say(socket, &hello, "server.hello", HELLO);
}

fn sent(socket: &JsValue) -> Vec<String> {
    let frames: Array = Reflect::get(socket, &"sent".into()).unwrap().unchecked_into();
    frames.iter().map(|frame| frame.as_string().unwrap()).collect()
}

fn frame_id(frame: &str) -> String {
    let frame = js_sys::JSON::parse(frame).unwrap();
    Reflect::get(&frame, &"id".into()).unwrap().as_string().unwrap()
}

fn say(socket: &JsValue, id: &str, kind: &str, data: &str) {
    receive(socket, &format!(r#"{{"id":"{id}","type":"{kind}","data":{data}}}"#).into());
}

fn text(socket: &JsValue, id: &str, seq: u32, content: &str) {
    let data =
        format!(r#"{{"sessionId":"s","messageId":"m1","part":0,"first":{seq},"seq":{seq},"content":"{content}"}}"#);
    say(socket, id, "chat.message_stream", &data);
}

fn complete(socket: &JsValue, id: &str, seq: u32) {
    let usage = r#"{"inputTokens":1,"outputTokens":2,"totalTokens":3,"cacheReadInputTokens":0,"cacheWriteInputTokens":0,"source":"reported"}"#;
    let data = format!(r#"{{"sessionId":"s","messageId":"m1","seq":{seq},"stopReason":"end_turn","usage":{usage}}}"#);
    say(socket, id, "chat.message_complete", &data);
}

#[wasm_bindgen_test]
fn a_stream_is_told_of_once_and_taken_joined() {
    let (world, socket) = World::open();
    let handle = world.stream();
    let id = frame_id(&sent(&socket)[1]);
    for (seq, content) in [(1, "Bed"), (2, "ro\\n"), (3, "ck \u{1faa8}")] {
        text(&socket, &id, seq, content);
    }
    assert_eq!(world.told.take(), [format!("news JsValue({handle}) JsValue(false)")]);
    let token = r#"[{"type":"token","content":"Bedro\nck 🪨","sessionId":"s","messageId":"m1"}]"#;
    assert_eq!(world.core.take(handle), token);
    complete(&socket, &id, 4);
    assert_eq!(world.told.take(), ["usage ".to_owned(), format!("news JsValue({handle}) JsValue(true)")]);
    let end = world.core.take(handle);
    assert!(end.starts_with(r#"[{"type":"done","content":"Bedro\nck 🪨","stopReason":"end_turn","usage":{"#), "{end}");
    assert_eq!(world.core.take(handle), "[]");
    assert!(js_sys::JSON::parse(&world.core.usage()).is_ok());
    world.core.close();
}

#[wasm_bindgen_test]
fn what_was_held_back_comes_before_all_else() {
    let (world, socket) = World::open();
    let handle = world.stream();
    let id = frame_id(&sent(&socket)[1]);
    text(&socket, &id, 1, "a");
    let known = Reflect::get(&world.object, &"known".into()).unwrap();
    let head = Reflect::get(&known, &"head".into()).unwrap().as_string().unwrap();
    assert!(head.ends_with(r#""messageId":"m1","part":"#), "{head}");
    // The last one is written in another order: it is read as any frame.
    let held = concat!(
        r#"0,"first":2,"seq":2,"content":"b"}}"#,
        "\n",
        r#"0,"first":3,"seq":3,"content":"\u0063"}}"#,
        "\n",
        r#"0,"seq":4,"first":4,"content":"d","later":1}}"#,
        "\n",
        r#"0,"first":5,"seq":5,"content":"e"}}"#,
        "\n",
    );
    Reflect::set(&world.object, &"holding".into(), &held.into()).unwrap();
    text(&socket, &id, 6, "f");
    let token = r#"[{"type":"token","content":"abcdef","sessionId":"s","messageId":"m1"}]"#;
    assert_eq!(world.core.take(handle), token);
    assert_eq!(sent(&socket).len(), 2, "nothing was missing");
    world.core.close();
}

#[wasm_bindgen_test]
fn the_greeting_has_version_token_and_subprotocol() {
    let (world, socket) = World::open();
    let hello = &sent(&socket)[0];
    assert!(hello.ends_with(r#""type":"client.hello","data":{"version":1,"token":"t1"}}"#), "{hello}");
    let protocols = Reflect::get(&socket, &"protocols".into()).unwrap();
    assert_eq!(protocols.as_string().as_deref(), Some("outcrop.v1"));
    world.core.close();
}

#[wasm_bindgen_test]
fn a_refusal_is_thrown_as_json_with_a_code() {
    let (world, _) = World::open();
    for _ in 0..64 {
        world.stream();
    }
    let refusal = world.core.send(r#"{"message":"hi"}"#, true, None, None, None, false).unwrap_err();
    let refusal = js_sys::JSON::parse(&refusal.as_string().unwrap()).unwrap();
    let field = |name: &str| Reflect::get(&refusal, &name.into()).unwrap();
    assert_eq!((field("code").as_string().as_deref(), field("retryable").as_bool()), (Some("overloaded"), Some(true)));
    world.core.close();
}

#[wasm_bindgen_test]
fn an_error_from_the_proxy_ends_a_call_with_its_fields() {
    let (world, socket) = World::open();
    let handle = world.core.call("chat.list_sessions", "{}").unwrap();
    let id = frame_id(&sent(&socket)[1]);
    let error = r#"{"code":"rate_limited","message":"Slow \"down\"","retryable":true,"retryAfterMs":900}"#;
    say(&socket, &id, "chat.error", error);
    assert_eq!(world.told.take(), [format!("reply JsValue({handle}) JsValue(false) {error}")]);
    world.core.close();
}

#[wasm_bindgen_test]
fn a_stop_is_sent_by_name() {
    let (world, socket) = World::open();
    let handle = world.stream();
    text(&socket, &frame_id(&sent(&socket)[1]), 1, "a");
    world.core.cancel(handle);
    let cancel = sent(&socket).pop().unwrap();
    assert!(cancel.ends_with(r#""type":"chat.cancel","data":{"messageId":"m1"}}"#), "{cancel}");
    world.core.close();
}

#[wasm_bindgen_test]
async fn a_lost_socket_is_replaced_and_the_answer_resumed() {
    let (world, socket) = World::open();
    let handle = world.stream();
    let id = frame_id(&sent(&socket)[1]);
    text(&socket, &id, 1, "Bed");
    let next = JsFuture::from(next());
    lose(&socket, 1006, "");
    assert_eq!(listens(&socket), 0, "nothing of a lost socket is heard any more");
    let told = world.told.take();
    assert!(told[1].starts_with(r#"status {"state":"reconnecting","attempt":1,"retryInMs":"#), "{told:?}");
    let second = next.await.unwrap();
    assert_eq!(sockets(), 2);
    greet(&second);
    let resume = sent(&second).pop().unwrap();
    assert!(resume.ends_with(r#""type":"chat.resume","data":{"messageId":"m1","after":1}}"#), "{resume}");
    text(&second, &id, 1, "Bed");
    text(&second, &id, 2, "rock");
    complete(&second, &id, 3);
    assert!(world.core.take(handle).contains(r#""content":"Bedrock","stopReason""#));
    world.core.close();
}

#[wasm_bindgen_test]
fn a_close_code_that_is_final_reaches_the_page() {
    let (world, socket) = World::open();
    let handle = world.stream();
    lose(&socket, 4503, "revoked");
    let told = world.told.take();
    assert_eq!(told[0], r#"status {"state":"closed","code":4503,"reason":"revoked"}"#);
    assert_eq!(told[1], format!("news JsValue({handle}) JsValue(true)"));
    assert!(world.core.take(handle).contains(r#""type":"failed","error":{"code":"closed","message":"revoked""#));
    assert_eq!(listening(), 0);
}

#[wasm_bindgen_test]
fn a_frame_that_is_no_text_costs_the_socket() {
    let (world, socket) = World::open();
    receive(&socket, &js_sys::ArrayBuffer::new(4).into());
    assert_eq!(Reflect::get(&socket, &"closedWith".into()).unwrap().as_f64(), Some(4000.0));
    world.core.close();
}

#[wasm_bindgen_test]
fn a_socket_that_cannot_be_made_is_waited_for() {
    install_broken();
    let world = World::new();
    world.core.connect();
    uninstall();
    let told = world.told.take();
    assert!(told.last().unwrap().starts_with(r#"status {"state":"reconnecting""#), "{told:?}");
    world.core.close();
}

#[wasm_bindgen_test]
fn what_the_browser_says_of_its_network_is_heard() {
    let (world, socket) = World::open();
    tell("offline");
    assert!(
        sent(&socket).pop().unwrap().contains(r#""type":"ping""#),
        "a socket that is open is asked whether it lives"
    );
    lose(&socket, 1006, "");
    assert_eq!(world.told.take(), [r#"status {"state":"offline"}"#]);
    tell("online");
    assert_eq!(sockets(), 2);
    world.core.close();
}

#[wasm_bindgen_test]
fn close_lets_go_of_the_socket_and_of_every_listener() {
    let (world, socket) = World::open();
    assert_eq!((listens(&socket), listening()), (3, 6));
    world.core.close();
    assert_eq!((listens(&socket), listening()), (0, 0));
    assert_eq!(Reflect::get(&socket, &"closedWith".into()).unwrap().as_f64(), Some(1000.0));
    world.core.close();
}

#[wasm_bindgen_test]
fn a_core_that_is_freed_closes_its_socket_and_listens_no_more() {
    install();
    let hooks = Object::new();
    let core: Rc<RefCell<Option<Core>>> = Rc::default();
    let in_token = core.clone();
    let token = Closure::<dyn FnMut(u32)>::new(move |attempt| {
        in_token.borrow().as_ref().unwrap().token(attempt, None, None);
    });
    add_listeners(&hooks);
    Reflect::set(&hooks, &"token".into(), token.as_ref()).unwrap();
    Reflect::set(&hooks, &"status".into(), &Function::new_no_args("")).unwrap();
    core.replace(Some(Core::new("ws://proxy.test/ws".into(), hooks.unchecked_into())));
    core.borrow().as_ref().unwrap().connect();
    let socket = latest();
    greet(&socket);
    assert_eq!((listens(&socket), listening()), (3, 6));
    core.take();
    assert_eq!((listens(&socket), listening()), (0, 0));
    assert_eq!(Reflect::get(&socket, &"closedWith".into()).unwrap().as_f64(), Some(1000.0));
}

/// A hook that calls the core back, from within a call of the core.
#[wasm_bindgen_test]
fn a_hook_may_call_the_core() {
    install();
    let core: Rc<RefCell<Option<Rc<Core>>>> = Rc::default();
    let states: Rc<RefCell<Vec<String>>> = Rc::default();
    let object = Object::new();
    let in_token = core.clone();
    let token = Closure::<dyn FnMut(u32)>::new(move |attempt| {
        let core = in_token.borrow().clone().unwrap();
        core.token(attempt, None, None);
        core.usage();
        core.close();
    });
    let (in_status, seen) = (core.clone(), states.clone());
    let status = Closure::<dyn FnMut(String)>::new(move |json: String| {
        seen.borrow_mut().push(json);
        let _ = in_status.borrow().clone().unwrap().call("chat.list_sessions", "{}");
    });
    let nothing = Function::new_no_args("");
    add_listeners(&object);
    for (name, hook) in [("token", token.as_ref()), ("status", status.as_ref())] {
        Reflect::set(&object, &name.into(), hook).unwrap();
    }
    for name in ["news", "reply", "usage"] {
        Reflect::set(&object, &name.into(), &nothing).unwrap();
    }
    core.replace(Some(Rc::new(Core::new("ws://proxy.test/ws".into(), object.unchecked_into()))));
    let called = core.borrow().clone().unwrap();
    called.connect();
    let states = states.borrow();
    assert_eq!(states[0], r#"{"state":"connecting"}"#);
    assert!(states[1].starts_with(r#"{"state":"closed""#), "{states:?}");
}

//! The shell proper: one core, one socket, one timer.

use std::{
    cell::{Cell, RefCell},
    rc::{Rc, Weak},
};

use client_core::{Client, Config, Input, Output, Status, Time};
use gloo_timers::callback::Timeout;
use protocol::{SUBPROTOCOL, close::CloseCode};
use wasm_bindgen::{JsCast, prelude::*};
use web_sys::{CloseEvent, Event, MessageEvent, WebSocket};

use crate::{environment::Environment, hooks::Hooks, json};

#[wasm_bindgen]
extern "C" {
    /// The browser's monotonic clock, in pages and workers.
    #[wasm_bindgen(js_namespace = performance, js_name = now)]
    fn performance_now() -> f64;
}

pub(crate) struct Shell {
    url: String,
    hooks: Hooks,
    client: RefCell<Client>,
    /// How frames begin that JavaScript may hold back.
    head: RefCell<String>,
    socket: RefCell<Option<WebSocket>>,
    timer: RefCell<Option<(Time, Timeout)>>,
    environment: RefCell<Option<Environment>>,
    on_message: Closure<dyn FnMut(MessageEvent)>,
    /// Every other event of the socket and of the browser.
    on_event: Closure<dyn FnMut(Event)>,
    flushing: Cell<bool>,
    me: Weak<Self>,
}

impl Shell {
    pub(crate) fn new(url: String, hooks: Hooks) -> Rc<Self> {
        let seed = js_sys::Math::random().to_bits() ^ js_sys::Math::random().to_bits().rotate_left(32);
        Rc::new_cyclic(|me: &Weak<Self>| {
            let (message_shell, event_shell) = (me.clone(), me.clone());
            let on_message = move |event: MessageEvent| {
                if let Some(shell) = message_shell.upgrade() {
                    shell.message(&event);
                }
            };
            let on_event = move |event: Event| {
                if let Some(shell) = event_shell.upgrade() {
                    shell.event(&event);
                }
            };
            Self {
                url,
                hooks,
                client: RefCell::new(Client::new(Config::default(), seed)),
                head: RefCell::default(),
                socket: RefCell::default(),
                timer: RefCell::default(),
                environment: RefCell::default(),
                on_message: Closure::new(on_message),
                on_event: Closure::new(on_event),
                flushing: Cell::new(false),
                me: me.clone(),
            }
        })
    }

    pub(crate) fn input(&self, input: Input<'_>) {
        self.with(|client, now| client.handle_input(now, input));
    }

    /// Calls the core and then does what it asks for.
    pub(crate) fn with<T>(&self, call: impl FnOnce(&mut Client, Time) -> T) -> T {
        self.receive_held();
        let result = call(&mut self.client.borrow_mut(), now());
        self.flush();
        result
    }

    fn message(&self, event: &MessageEvent) {
        // A binary frame is none of this protocol, like an empty text.
        let text = event.data().as_string().unwrap_or_default();
        self.input(Input::Received(&text));
        self.tell_head();
    }

    /// Tells JavaScript which frames it may hold back, if that has changed.
    fn tell_head(&self) {
        let client = self.client.borrow();
        let Some((handle, head)) = client.head() else { return };
        if *self.head.borrow() != head {
            let head = head.to_owned();
            std::mem::drop(client);
            self.hooks.head(handle.0, &head);
            self.head.replace(head);
        }
    }

    /// Gives the core what JavaScript held back.
    fn receive_held(&self) {
        let Some(held) = self.hooks.held() else { return };
        let (mut client, head, now) = (self.client.borrow_mut(), self.head.borrow(), now());
        for rest in held.split_terminator('\n') {
            if client.head().is_some_and(|(_, known)| *head == known) {
                client.handle_input(now, Input::ReceivedRest(rest));
            } else {
                client.handle_input(now, Input::Received(&(head.clone() + rest)));
            }
        }
    }

    fn event(&self, event: &Event) {
        match event.type_().as_str() {
            "open" => self.input(Input::Opened),
            "close" => {
                self.drop_socket();
                let event: &CloseEvent = event.unchecked_ref();
                self.input(Input::SocketClosed { code: event.code(), reason: &event.reason() });
            }
            "online" => self.input(Input::Online),
            "offline" => self.input(Input::Offline),
            _ if Environment::is_visible() => self.input(Input::Visible),
            _ => {}
        }
    }

    /// The one exit to JavaScript. Called from within itself, by a hook that calls back, it leaves the work to the outer call.
    fn flush(&self) {
        if self.flushing.replace(true) {
            return;
        }
        loop {
            let output = self.client.borrow_mut().poll_output();
            match output {
                Some(output) => self.perform(output),
                None => break,
            }
        }
        self.flushing.set(false);
        self.arm();
    }

    fn perform(&self, output: Output) {
        match output {
            Output::SendText(text) => {
                if let Some(socket) = &*self.socket.borrow() {
                    // Fails while the socket is closing; its close event follows.
                    let _ = socket.send_with_str(&text);
                }
            }
            Output::News { handle, ended } => self.hooks.news(handle.0, ended),
            Output::Reply { handle, result: Ok(data) } => self.hooks.reply(handle.0, true, &data),
            Output::Reply { handle, result: Err(error) } => self.hooks.reply(handle.0, false, &json::error(&error)),
            Output::UsageChanged => self.hooks.usage(),
            Output::StatusChanged(status) => {
                if let Status::Closed { .. } = status {
                    self.environment.take();
                }
                self.hooks.status(&json::status(&status));
            }
            Output::FetchToken { attempt } => {
                self.listen();
                self.hooks.token(attempt);
            }
            Output::OpenSocket => self.open_socket(),
            Output::CloseSocket { code } => {
                if let Some(socket) = self.drop_socket() {
                    let _ = socket.close_with_code(code);
                }
            }
        }
    }

    fn listen(&self) {
        if self.environment.borrow().is_none() {
            let (environment, online) = Environment::listen(self.on_event.as_ref().unchecked_ref());
            self.environment.replace(Some(environment));
            if !online {
                self.client.borrow_mut().handle_input(now(), Input::Offline);
            }
        }
    }

    fn open_socket(&self) {
        self.drop_socket();
        match self.hooks.open(&self.url, SUBPROTOCOL) {
            Ok(socket) => {
                let on_event = Some(self.on_event.as_ref().unchecked_ref());
                socket.set_onopen(on_event);
                socket.set_onclose(on_event);
                socket.set_onmessage(Some(&self.hooks.listener(self.on_message.as_ref().unchecked_ref())));
                self.socket.replace(Some(socket));
            }
            Err(_) => {
                let reason = "the browser refused to open the connection";
                let closed = Input::SocketClosed { code: CloseCode::ABNORMAL.0, reason };
                self.client.borrow_mut().handle_input(now(), closed);
            }
        }
    }

    /// Lets go of the socket: nothing of it is heard any more.
    fn drop_socket(&self) -> Option<WebSocket> {
        let socket = self.socket.take()?;
        socket.set_onopen(None);
        socket.set_onclose(None);
        socket.set_onmessage(None);
        Some(socket)
    }

    /// Sets the timer, if it is not set early enough: every frame moves the deadline, and none should cost a timer.
    fn arm(&self) {
        let Some(due) = self.client.borrow().poll_timeout() else {
            self.timer.take();
            return;
        };
        if self.timer.borrow().as_ref().is_some_and(|(set, _)| *set <= due) {
            return;
        }
        let me = self.me.clone();
        let wait_ms = due.ms_since(now()).min(60_000) as u32;
        let timeout = Timeout::new(wait_ms, move || {
            if let Some(shell) = me.upgrade() {
                shell.timer.take();
                shell.with(|client, now| client.handle_timeout(now));
            }
        });
        self.timer.replace(Some((due, timeout)));
    }
}

impl Drop for Shell {
    fn drop(&mut self) {
        if let Some(socket) = self.drop_socket() {
            let _ = socket.close();
        }
    }
}

fn now() -> Time {
    Time::from_millis(performance_now() as u64)
}

//! A proxy with an emulator of its own behind it.

mod client;
mod raw;
pub(crate) mod tokens;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use aws_credential_types::Credentials;
use bedrock_emulator::{
    ACCESS_KEY_ID, Behaviour, Config, Emulator, LedgerEntry, Outcome, Pace, SECRET_ACCESS_KEY, Script,
};
use clap::Parser;
use outcrop_proxy::{
    app::App,
    bedrock::connect::Options,
    service::Service,
    settings::{Cli, Command, DEFAULT_MODEL, Serve},
    ws::{
        socket::Socket,
        sockets::{MaxSockets, Sockets},
    },
};
use protocol::{Catalog, Usage};
use serde_json::{Value, json};
use tokio::{
    io::DuplexStream,
    sync::{oneshot, watch},
    task::JoinHandle,
};

pub(crate) use client::{Answer, Client, Frame, Heard, NO_CODE};
pub(crate) use raw::{Opcode, RawSocket, head, http};

/// How long anything may take before a test gives up waiting for it.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// The model that answers in tests that do not care.
pub(crate) const MODEL: &str = DEFAULT_MODEL;

/// The region that the proxy signs for.
pub(crate) const REGION: &str = "us-west-2";

/// A pace that leaves a test time to do something in the middle of an answer: 5 ms a token.
pub(crate) const STEADY: Pace = Pace { first_token_ms: 0, tokens_per_second: 200.0 };

/// A proxy that serves, and the Bedrock it calls. Both end with it.
pub(crate) struct Proxy {
    pub(crate) addr: SocketAddr,
    pub(crate) emulator: Emulator,
    pub(crate) service: Arc<Service>,
    pub(crate) sockets: Arc<Sockets>,
    stop: Option<oneshot::Sender<()>>,
    running: JoinHandle<()>,
}

impl Proxy {
    /// With the emulator's own answers, as fast as they come, and its prompt prefixes.
    pub(crate) async fn start() -> Self {
        Self::with(&[], Script::new()).await
    }

    /// With more flags, and a script for the emulator.
    pub(crate) async fn with(flags: &[&str], script: Script) -> Self {
        Self::over(flags, Config { script, ..Config::unpaced() }).await
    }

    /// With more flags, over an emulator with a configuration of its own.
    pub(crate) async fn over(flags: &[&str], config: Config) -> Self {
        let emulator = Emulator::start(config).await.expect("an emulator");
        let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "test");
        let options = Options { endpoint_url: Some(emulator.url()), fixed: Some((credentials, REGION.to_owned())) };
        let app = App::start_with(&serve(flags), &options).await.expect("a proxy");
        let (addr, service, sockets) = (app.addr(), app.service().clone(), app.sockets().clone());
        let (stop, stopped) = oneshot::channel();
        let running = tokio::spawn(app.run(async move {
            let _ = stopped.await;
        }));
        Self { addr, emulator, service, sockets, stop: Some(stop), running }
    }

    /// With one answer for every call.
    pub(crate) async fn answering(behaviour: Behaviour) -> Self {
        Self::with(&[], Script::always(behaviour)).await
    }

    /// A client that shook hands on `/`.
    pub(crate) async fn connect(&self) -> Client {
        Client::connect(self.addr).await
    }

    /// The only call so far.
    pub(crate) fn only_call(&self) -> LedgerEntry {
        let mut calls = self.emulator.ledger();
        assert_eq!(calls.len(), 1, "calls of Bedrock");
        calls.remove(0)
    }

    /// The only call so far, once it is over.
    pub(crate) async fn ended_call(&self) -> LedgerEntry {
        within("the end of the call", async {
            loop {
                let call = self.only_call();
                if call.outcome != Outcome::Running {
                    return call;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }

    /// Waits until there were so many calls and all of them are over.
    pub(crate) async fn ended_calls(&self, count: usize) {
        within("the end of the calls", async {
            loop {
                let calls = self.emulator.ledger();
                if calls.len() == count && calls.iter().all(|call| call.outcome != Outcome::Running) {
                    return;
                }
                tokio::task::yield_now().await;
            }
        })
        .await;
    }

    /// The history of a session, as the one message of it that says so.
    pub(crate) async fn history(&self, session: &str) -> Value {
        let mut client = self.connect().await;
        client.ask("history", "chat.get_history", json!({ "sessionId": session })).await.expect("chat.history_response")
    }

    /// Tells the proxy to stop.
    pub(crate) fn stop(&mut self) {
        let _ = self.stop.take().expect("stopped once").send(());
    }

    /// Waits until it has stopped.
    pub(crate) async fn stopped(self) {
        within("the end of the proxy", self.running).await.expect("no panic");
    }
}

/// The settings of `outcrop-proxy serve` with these flags.
pub(crate) fn serve(flags: &[&str]) -> Serve {
    let always = ["outcrop-proxy", "serve", "--listen", "127.0.0.1:0", "--model", MODEL];
    let in_memory: &[&str] = if flags.contains(&"--store") { &[] } else { &["--store", "memory"] };
    let without_tokens: &[&str] =
        if flags.iter().any(|flag| flag.starts_with("--jw")) { &[] } else { &["--auth", "off"] };
    // What the model is told of tools would be in every request.
    let without_tools: &[&str] = if flags.contains(&"--analytics") { &[] } else { &["--analytics", "off"] };
    let all = always.iter().chain(in_memory).chain(without_tokens).chain(without_tools).chain(flags);
    match Cli::try_parse_from(all).expect("flags").command {
        Command::Serve(serve) => *serve,
        _ => unreachable!("serve was asked for"),
    }
}

/// Waits, but not for ever.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(PATIENCE, future).await {
        Ok(value) => value,
        Err(_) => panic!("no {what} within {PATIENCE:?}"),
    }
}

/// What the ledger says that `call` used, as the protocol writes it, with its cost.
pub(crate) fn usage_of(call: &LedgerEntry) -> Value {
    let billed = call.usage.expect("usage");
    let mut usage = Usage {
        input_tokens: billed.input_tokens.into(),
        output_tokens: billed.output_tokens.into(),
        total_tokens: billed.total_tokens().into(),
        cache_read_input_tokens: billed.cache_read_input_tokens.into(),
        cache_write_input_tokens: billed.cache_write_input_tokens.into(),
        ..Usage::default()
    };
    Catalog::builtin().price(&call.model_id, &mut usage);
    serde_json::to_value(usage).expect("JSON")
}

/// A client whose answer goes on while a test does harm elsewhere; it must not notice.
pub(crate) struct Healthy {
    answer: JoinHandle<Answer>,
    started: watch::Receiver<bool>,
}

impl Healthy {
    /// Starts an answer that takes about two seconds, and returns once its first text has come.
    pub(crate) async fn start(proxy: &Proxy) -> Self {
        let mut client = proxy.connect().await;
        let (begun, mut started) = watch::channel(false);
        let answer = tokio::spawn(async move {
            client.send_message("healthy", "healthy", "/pace 200 /length 400 Tell me about rivers", true).await;
            let first = client.frame().await;
            let _ = begun.send(true);
            client.rest_of_answer(vec![first]).await
        });
        within("first text of the healthy client", started.wait_for(|begun| *begun)).await.expect("a first frame");
        Self { answer, started }
    }

    /// Waits for the whole answer, which is what Bedrock sent.
    pub(crate) async fn end_unharmed(self, proxy: &Proxy) {
        assert!(*self.started.borrow());
        let answer = within("the healthy answer", self.answer).await.expect("no panic");
        let calls = proxy.emulator.ledger();
        let call = calls
            .iter()
            .find(|call| {
                call.request["messages"][0]["content"][0]["text"].as_str().is_some_and(|t| t.contains("rivers"))
            })
            .expect("the healthy call");
        assert_eq!(
            (answer.text.as_str(), answer.end.kind.as_str()),
            (call.text_sent.as_str(), "chat.message_complete")
        );
        assert_eq!(call.usage.expect("usage").output_tokens, 400);
    }
}

/// The proxy's socket over a pipe that holds so many bytes, and the client's end of it. No kernel buffers what nobody reads, and
/// nothing but time moves when the clock is paused.
pub(crate) fn pipe(proxy: &Proxy, bytes: usize) -> (DuplexStream, JoinHandle<()>) {
    let (ours, theirs) = tokio::io::duplex(bytes);
    let place = Sockets::new(MaxSockets { all: 1, of_user: 1, of_organization: 1 }).enter().expect("a place");
    let service = proxy.service.clone();
    let socket = tokio::spawn(async move {
        let anybody = service.auth().anybody();
        Socket::new(theirs, Vec::new(), service, anybody, place).await.run().await;
    });
    (ours, socket)
}

//! The proxy from its sockets to Bedrock, without a network: nothing but the tests' clock moves.

use std::{
    pin::Pin,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    task::{Context, Poll},
    time::Duration,
};

use async_trait::async_trait;
use outcrop_proxy::{
    auth::Auth,
    bedrock::{
        ConverseRequest, EventSource, Target, Upstream, UpstreamError, UpstreamEvent, WholeAnswer, upstream::TakeEvent,
    },
    content::MessageLimits,
    ledger::{Budgets, Reports, Watch},
    models::ModelRules,
    principal::{Identity, Owner},
    service::{Offer, Service},
    settings::Serve,
    sources::Sources,
    store::MemoryStore,
    turn::{Limits, MAX_SETTLING, Runner, Turns, attempts::RetryPolicy, breaker::Breakers, queue::Queue},
    ws::{
        socket::Socket,
        sockets::{MaxSockets, Sockets},
    },
};
use protocol::{Catalog, StopReason, Usage, server::PrincipalRole};
use serde_json::Value;
use tokio::{
    io::{DuplexStream, duplex},
    sync::Semaphore,
    time::{Instant, Sleep, sleep},
};
use tokio_util::task::TaskTracker;

use outcrop_proxy::conversation::Turn;
use outcrop_tools::{Config, Hub, Pins};

use crate::common::{Answer, Client, MODEL, serve};

/// More than any test writes to a socket.
const PIPE_BYTES: usize = 1 << 20;

pub(crate) struct World {
    pub(crate) service: Arc<Service>,
    pub(crate) bedrock: Arc<Bedrock>,
    settings: Serve,
    runner: Arc<Runner>,
}

impl World {
    /// A proxy with these flags, where authentication is on, and a Bedrock that takes so long for each answer.
    pub(crate) fn new(flags: &[&str], takes: Duration) -> Self {
        let settings = serve(flags);
        let bedrock = Arc::new(Bedrock { takes, refuses: AtomicU32::new(0), calls: Arc::default() });
        let limits = &settings.limits;
        let runner = Arc::new(Runner {
            upstream: bedrock.clone(),
            store: Arc::new(MemoryStore::default()),
            catalog: Arc::new(Catalog::builtin()),
            tools: Hub::start(Config::default(), Vec::new(), Pins::in_memory()),
            budgets: Budgets::default(),
            turns: Arc::new(Turns::within(limits.turns(false), limits.rates(false))),
            queue: Queue::new(limits.width(false), limits.queue_timeout),
            limits: self::limits(&settings),
            sources: Sources::system(),
            breakers: Breakers::default(),
            settling: Semaphore::new(MAX_SETTLING),
            watch: Watch::default(),
            tasks: TaskTracker::new(),
        });
        let offer = Offer {
            default_model: MODEL.to_owned(),
            models: vec![MODEL.to_owned()],
            message: MessageLimits { chars: 1_000, tokens: 1_000, system_prompt_chars: 0 },
            max_parallel_turns: limits.max_turns_per_socket,
            demo: false,
        };
        let reports = Arc::new(Reports::new(runner.store.clone(), runner.budgets.clone()));
        let service = Arc::new(Service::new(runner.clone(), Auth::off(Sources::system()), offer, reports));
        Self { service, bedrock, settings, runner }
    }

    /// A socket of `user`, who is of the organisation before the slash.
    pub(crate) async fn client(&self, user: &str) -> Client<DuplexStream> {
        let (organization, user) = user.split_once('/').expect("organization/user");
        let owner = Owner { organization: organization.into(), user: user.into() };
        let identity = Arc::new(Identity { owner, role: PrincipalRole::User, token: None });
        let (ours, theirs) = duplex(PIPE_BYTES);
        let place = Sockets::new(MaxSockets { all: 1, of_user: 1, of_organization: 1 }).enter().expect("a place");
        let service = self.service.clone();
        tokio::spawn(async move { Socket::new(theirs, Vec::new(), service, Some(identity), place).await.run().await });
        Client::over(ours).await
    }

    /// Sends a message of `user` over a socket of its own, in a session of the message's name, and reads the answer to its end.
    pub(crate) async fn ask(&self, user: &str, id: &str) -> Answer {
        self.client(user).await.chat(id, id, "Hi").await
    }

    /// The most tokens that the answer to that message may take.
    pub(crate) fn tokens(&self) -> u64 {
        let request = ConverseRequest {
            model: MODEL.to_owned(),
            turns: vec![Turn::saying(protocol::Role::User, "Hi")],
            max_tokens: self.settings.answers.max_tokens,
            ..ConverseRequest::default()
        };
        request.most_tokens()
    }

    /// How many calls of Bedrock are made, and how many wait.
    pub(crate) fn queue(&self) -> (usize, usize) {
        self.runner.queue.lengths()
    }
}

fn limits(settings: &Serve) -> Limits {
    let answers = &settings.answers;
    Limits {
        system_prompt: None,
        max_tokens: answers.max_tokens,
        temperature: None,
        history_messages: answers.history_messages as usize,
        first_event_timeout: answers.first_event_timeout,
        event_timeout: answers.event_timeout,
        reasoning_timeout: answers.reasoning_timeout,
        answer_timeout: answers.answer_timeout,
        retry: RetryPolicy { max_attempts: 4, base: Duration::from_secs(1), timeout: Duration::from_secs(180) },
        fallback_models: settings.bedrock.fallback_models.clone(),
        model_rules: ModelRules::none(),
        stop_drain: Some(answers.stop_drain_timeout),
        unwatched_timeout: None,
        tools: settings.tools.limits(),
        reasoning_tokens: None,
        prompt_cache: false,
    }
}

/// That a message was refused by a limit; returns when it may be sent again.
pub(crate) fn rate_limited(answer: &Answer) -> u64 {
    answer.error("rate_limited");
    assert_eq!(answer.end.data["retryable"], true, "{:?}", answer.end);
    answer.end.data["retryAfterMs"].as_u64().expect("a time")
}

pub(crate) fn complete(answer: &Answer) -> &Value {
    assert_eq!(answer.end.kind, "chat.message_complete", "{:?}", answer.end);
    &answer.end.data
}

/// A Bedrock whose answers are all alike: a word at once, and the rest when their time is over.
#[derive(Debug)]
pub(crate) struct Bedrock {
    takes: Duration,
    /// How many calls it refuses before it takes any.
    pub(crate) refuses: AtomicU32,
    pub(crate) calls: Arc<Mutex<Calls>>,
}

#[derive(Debug, Default)]
pub(crate) struct Calls {
    pub(crate) made: Vec<Instant>,
    pub(crate) now: usize,
    pub(crate) most: usize,
}

impl Bedrock {
    pub(crate) fn made(&self) -> usize {
        self.calls.lock().expect("the calls").made.len()
    }
}

struct Source {
    calls: Arc<Mutex<Calls>>,
    end: Pin<Box<Sleep>>,
    /// How many reads there were.
    reads: u32,
    is_over: bool,
}

#[async_trait]
impl Upstream for Bedrock {
    fn region(&self) -> &str {
        "us-west-2"
    }

    async fn converse_stream(&self, request: &ConverseRequest) -> Result<Box<dyn EventSource>, UpstreamError> {
        if self.refuses.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok() {
            return Err(UpstreamError::service("ThrottlingException", "slow down", request.target("us-west-2")));
        }
        let mut calls = self.calls.lock().expect("the calls");
        calls.made.push(Instant::now());
        calls.now += 1;
        calls.most = calls.most.max(calls.now);
        Ok(Box::new(Source { calls: self.calls.clone(), end: Box::pin(sleep(self.takes)), reads: 0, is_over: false }))
    }

    async fn converse(&self, _: &ConverseRequest) -> Result<WholeAnswer, UpstreamError> {
        Err(UpstreamError::broken_stream("nobody asks for whole answers here"))
    }
}

impl EventSource for Source {
    fn poll_read(&mut self, cx: &mut Context<'_>) -> Poll<Result<bool, UpstreamError>> {
        if self.reads > 0 {
            std::task::ready!(self.end.as_mut().poll(cx));
        }
        self.reads += 1;
        Poll::Ready(Ok(self.reads <= 2))
    }

    fn drain(&mut self, _: Target<'_>, take: &mut TakeEvent<'_>) -> Result<(), UpstreamError> {
        if self.reads == 1 {
            return take(UpstreamEvent::Text { block: 0, content: "Well".into() });
        }
        self.end_call();
        take(UpstreamEvent::Stop(StopReason::EndTurn))?;
        take(UpstreamEvent::Metadata(Usage { input_tokens: 3, output_tokens: 2, total_tokens: 5, ..Usage::default() }))
    }
}

impl Source {
    fn end_call(&mut self) {
        if !std::mem::replace(&mut self.is_over, true) {
            self.calls.lock().expect("the calls").now -= 1;
        }
    }
}

impl Drop for Source {
    fn drop(&mut self) {
        self.end_call();
    }
}

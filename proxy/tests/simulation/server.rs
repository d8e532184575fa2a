//! The real server: a process, and its end of a connection without a socket. All coupling to the proxy's insides is here.

use std::{
    cell::Cell,
    future::Future,
    pin::Pin,
    sync::{Arc, LazyLock, Mutex},
    task::{Context, Poll},
    time::Duration,
};

use fastrand::Rng;
use futures_util::{Stream, stream::FuturesUnordered};
use outcrop_proxy::{
    auth::Auth,
    content::MessageLimits,
    ledger::{Budget, Budgets, Reports, Watch},
    models::ModelRules,
    principal::Identity,
    service::{Offer, Outcome, Service},
    sources::Sources,
    store::MemoryStore,
    turn::{
        Limits, MAX_SETTLING, Runner, ToolLimits, Turns, Wake,
        attempts::RetryPolicy,
        breaker::Breakers,
        queue::{Queue, Width},
    },
    ws::connection::{Connection, Transmit},
};
use outcrop_tools::{Config, Hub, Pins};
use protocol::{
    Catalog, RequestId, Timestamp,
    client::ClientMessage,
    server::{BudgetPeriod, BudgetScope, BudgetUnit},
};
use tokio::{sync::Semaphore, time::Instant};
use tokio_util::task::TaskTracker;

use crate::{
    disk::{Dead, Disk, slowest_ms},
    upstream::{Bedrock, Ledger},
};

thread_local!(static LAST_ID: Cell<u128> = const { Cell::new(0) });

static CATALOG: LazyLock<Arc<Catalog>> = LazyLock::new(|| Arc::new(Catalog::builtin()));

type Serving = Pin<Box<dyn Future<Output = (RequestId, Outcome)>>>;

/// One call at a time, so that the answer after one that was stopped and is read on has to wait.
const WIDTH: Width =
    Width { calls: 1, waiting: 100, waiting_of_owner: 100, requests_per_minute: None, tokens_per_minute: None };

/// A machine on which one process runs after the other.
pub(crate) struct Machine {
    pub(crate) seed: u64,
    pub(crate) kept: Arc<MemoryStore>,
    pub(crate) ledger: Ledger,
    pub(crate) process: Option<Process>,
    started: u64,
}

#[derive(Clone)]
pub(crate) struct Process {
    pub(crate) service: Arc<Service>,
    dead: Dead,
}

impl Process {
    pub(crate) fn kill(&self) {
        self.dead.kill();
    }
}

impl Machine {
    pub(crate) fn new(seed: u64, ledger: Ledger) -> Self {
        Self { seed, kept: Arc::default(), ledger, process: None, started: 0 }
    }

    /// Starts a process. It serves once it has ended what the one before it left.
    pub(crate) fn start(&mut self) -> impl Future<Output = Process> + use<> {
        self.started += 1;
        let (seed, dead) = (self.seed, Dead::default());
        let rng = Mutex::new(Rng::with_seed(seed.wrapping_mul(7).wrapping_add(self.started)));
        let model = "anthropic.claude-test".to_owned();
        let upstream = Bedrock { seed, process: self.started, ledger: self.ledger.clone(), dead: dead.clone() };
        let sources = Sources {
            now: || Timestamp::from_unix_ms(0),
            unique: || {
                LAST_ID.set(LAST_ID.get() + 1);
                uuid::Uuid::from_u128(LAST_ID.get())
            },
        };
        let runner = Arc::new(Runner {
            upstream: Arc::new(upstream),
            store: Arc::new(Disk { kept: self.kept.clone(), dead: dead.clone(), slowest_ms: slowest_ms(seed), rng }),
            catalog: CATALOG.clone(),
            tools: Hub::start(Config::default(), Vec::new(), Pins::in_memory()),
            budgets: budgets(),
            turns: Arc::new(Turns::new(100)),
            queue: Queue::new(WIDTH, Duration::from_secs(60)),
            limits: limits(seed),
            sources,
            breakers: Breakers::default(),
            settling: Semaphore::new(MAX_SETTLING),
            watch: Watch::default(),
            tasks: TaskTracker::new(),
        });
        let offer = Offer {
            default_model: model.clone(),
            models: vec![model],
            message: MessageLimits { chars: 1_000, tokens: 1_000, system_prompt_chars: 0 },
            max_parallel_turns: 8,
            demo: false,
        };
        async move {
            runner.close_unfinished().await.expect("a store");
            let reports = Arc::new(Reports::new(runner.store.clone(), runner.budgets.clone()));
            Process { service: Arc::new(Service::new(runner, Auth::off(sources), offer, reports)), dead }
        }
    }
}

/// One that nobody uses up, so that everything is set aside and settled.
pub(crate) fn budgets() -> Budgets {
    let budget = Budget {
        scope: BudgetScope::User,
        period: BudgetPeriod::Day,
        unit: BudgetUnit::Tokens,
        limit: u64::from(u32::MAX),
    };
    Budgets::new(vec![budget]).expect("one budget")
}

const TOOL_LIMITS: ToolLimits = ToolLimits {
    rounds: 5,
    calls: 20,
    timeout: Duration::from_secs(120),
    tokens: None,
    nano_usd: None,
    approval_timeout: Duration::from_secs(30),
    result_bytes: 4_096,
};

fn limits(seed: u64) -> Limits {
    Limits {
        system_prompt: None,
        max_tokens: 4_096,
        temperature: None,
        history_messages: 20,
        first_event_timeout: Duration::from_secs(20),
        event_timeout: Duration::from_secs(10),
        reasoning_timeout: Duration::from_secs(15),
        answer_timeout: Duration::from_secs(300),
        retry: RetryPolicy { max_attempts: 4, base: Duration::from_millis(200), timeout: Duration::from_secs(60) },
        model_rules: ModelRules::none(),
        fallback_models: seed.is_multiple_of(3).then(|| "anthropic.claude-other".to_owned()).into_iter().collect(),
        stop_drain: seed.is_multiple_of(2).then_some(Duration::from_secs(5)),
        unwatched_timeout: None,
        tools: TOOL_LIMITS,
        reasoning_tokens: None,
        prompt_cache: false,
    }
}

/// What `ws::socket::Socket` is around a connection, without the bytes.
pub(crate) struct Peer {
    pub(crate) connection: Connection,
    process: Process,
    serving: FuturesUnordered<Serving>,
    wake: Arc<Wake>,
    /// Whether a stop was served, or a message or a resume.
    pub(crate) stop_served: bool,
    pub(crate) went_on: bool,
}

impl Peer {
    pub(crate) fn new(process: Process) -> Self {
        let connection = Connection::new(Instant::now(), process.service.offer().max_parallel_turns as usize);
        Self {
            connection,
            process,
            serving: FuturesUnordered::new(),
            wake: Arc::default(),
            stop_served: false,
            went_on: false,
        }
    }

    /// Serves requests; whether anything was done.
    pub(crate) fn serve(&mut self, cx: &mut Context<'_>) -> bool {
        let now = Instant::now();
        let mut any = self.wake.poll_rung(cx).is_ready();
        while let Some(frame) = self.connection.poll_request() {
            self.stop_served |= matches!(frame.message, ClientMessage::Cancel(_));
            self.went_on |= matches!(frame.message, ClientMessage::SendMessage(_) | ClientMessage::Resume(_));
            let (service, id) = (self.process.service.clone(), frame.id.clone());
            self.serving.push(Box::pin(async move { (id, service.handle(Some(&Identity::local()), frame).await) }));
            any = true;
        }
        while let Poll::Ready(Some((id, outcome))) = Pin::new(&mut self.serving).poll_next(cx) {
            if let Outcome::Follow { turn, .. } = &outcome {
                turn.follow(&self.wake);
            }
            self.connection.handle_outcome(now, id, outcome);
            any = true;
        }
        if self.connection.poll_timeout().is_some_and(|due| due <= now) {
            self.connection.handle_timeout(now);
            assert!(self.connection.poll_timeout().is_none_or(|due| due > now), "the server's timer spins");
            any = true;
        }
        any
    }

    pub(crate) fn transmit(&mut self) -> Option<Transmit> {
        self.connection.poll_transmit(Instant::now())
    }
}

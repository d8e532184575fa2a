//! The proxy, put together. The only place that names a concrete store.

use std::{convert::Infallible, io, net::SocketAddr, path::PathBuf, sync::Arc, time::Duration};

use aws_credential_types::Credentials;
use bedrock_emulator::{ACCESS_KEY_ID, Config as EmulatorConfig, Emulator, Pace, SECRET_ACCESS_KEY};
use protocol::{Catalog, Timestamp};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::Semaphore,
};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{error, info};

use crate::{
    analytics::Analytics,
    auth::{Auth, KeyError, Revocations},
    bedrock::connect::{ConnectError, Found, Options, connect, find},
    content::MessageLimits,
    http::{AdminToken, Http, MIN_TOKEN_CHARS, Origins, Tls, TlsError},
    https::AddressError,
    ledger::{
        Budgets, Reports, Watch,
        alerts::Heights,
        metrics::Metrics,
        unusual::{Rule, Unusual},
        watch::{Settled, Watcher},
        webhook::Webhook,
    },
    models::ModelRules,
    observe::{Measured, Observe, ObserveError, Page, PageError, metrics::Levels, panics::lasting},
    service::{Offer, Service},
    settings::{Authentication, Conversations, Demo, Dynamodb, MetricsFormat, OnStop, Serve, StoreKind, Switch},
    sources::Sources,
    store::{
        DynamoStore, MemoryStore, OpenError, SqliteStore, Store, StoreError,
        dynamodb::{self, CreateError},
    },
    tools::{self, ToolsError},
    turn::{Limits, MAX_SETTLING, Runner, Turns, attempts::RetryPolicy, breaker::Breakers, queue::Queue},
    ws::sockets::{MaxSockets, Sockets},
};

/// How long turns may take to store what they have when the proxy stops.
pub const SETTLE_TIMEOUT: Duration = Duration::from_secs(5);

/// How long sockets may take to say goodbye when the proxy stops, and alerts to be told.
pub const GOODBYE_TIMEOUT: Duration = Duration::from_secs(3);

/// The region that demo mode signs for.
const DEMO_REGION: &str = "us-west-2";

/// Why the proxy did not start. Each says in one line what to do.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// Bedrock cannot be called.
    #[error(transparent)]
    Connect(#[from] ConnectError),
    /// The address is taken.
    #[error(
        "{0} is in use by another program: stop that one, or choose another with --listen 127.0.0.1:PORT (OUTCROP_LISTEN)"
    )]
    AddressInUse(SocketAddr),
    /// The address cannot be listened on.
    #[error("cannot listen on {0} ({1}): choose an address of this machine with --listen (OUTCROP_LISTEN)")]
    Listen(SocketAddr, io::Error),
    /// Without authentication, only loopback.
    #[error(
        "{0} can be reached from other machines, and authentication is off: set a key (OUTCROP_JWT_SECRET, OUTCROP_JWT_PUBLIC_KEY or OUTCROP_JWKS_URL), or listen on 127.0.0.1"
    )]
    NotLoopback(SocketAddr),
    /// Tokens cannot be checked.
    #[error(transparent)]
    Keys(#[from] KeyError),
    /// The certificate or its key cannot be used.
    #[error("TLS cannot be served: {0}")]
    Tls(#[from] TlsError),
    /// The page's folder has no page.
    #[error("{0} has no index.html: build the page, or leave --www (OUTCROP_WWW_DIR) out")]
    NoPage(String),
    /// The store cannot be opened.
    #[error(transparent)]
    OpenStore(#[from] OpenError),
    /// The table cannot be used.
    #[error(transparent)]
    OpenTable(#[from] dynamodb::OpenError),
    /// The table was not made.
    #[error(transparent)]
    CreateTable(#[from] CreateError),
    /// Only one store forgets.
    #[error(
        "only DynamoDB forgets what is old: leave --session-ttl (OUTCROP_SESSION_TTL) out, or add --store dynamodb"
    )]
    SessionTtl,
    /// The store is no one's to look at.
    #[error("a store in memory ends with its proxy, and nobody else can read it: ask that proxy at /admin/usage")]
    StoreInMemory,
    /// The store was opened, and fails.
    #[error("conversations cannot be kept: {0}")]
    Store(#[from] StoreError),
    /// Budgets that contradict each other.
    #[error("{0}: leave one of them out of --budgets (OUTCROP_BUDGETS)")]
    Budgets(String),
    /// A budget in dollars cannot hold for a model without a price.
    #[error(
        "{0} has no price, so a budget in dollars cannot hold: give it one in a file of --prices (OUTCROP_PRICES), or set budgets in tokens"
    )]
    Unpriced(String),
    /// A token that can be guessed.
    #[error(
        "the token of administrators has less than {MIN_TOKEN_CHARS} characters: choose a longer one for OUTCROP_ADMIN_TOKEN, or leave it out"
    )]
    AdminToken,
    /// Alerts cannot be sent.
    #[error("alerts cannot be sent to OUTCROP_ALERT_WEBHOOK: {0}")]
    Webhook(#[from] AddressError),
    /// The prices cannot be read.
    #[error("{0} cannot be read as a table of prices ({1}): it has the columns of data/models.csv")]
    Prices(PathBuf, String),
    /// Nobody would see what happens.
    #[error(transparent)]
    Observe(#[from] ObserveError),
    /// Metrics cannot be served.
    #[error(transparent)]
    Metrics(#[from] PageError),
    /// The rules of who may use which model cannot be read.
    #[error(
        "{0} cannot be read as a table of who may use which model ({1}): it has the columns organization and model"
    )]
    ModelRules(PathBuf, String),
    /// There are no tools.
    #[error(transparent)]
    Tools(#[from] ToolsError),
    /// The emulator of demo mode did not start.
    #[error("the built-in emulator did not start ({0}): try again, or set AWS credentials and leave --demo out")]
    Emulator(io::Error),
}

/// A proxy that listens.
#[derive(Debug)]
pub struct App {
    http: Arc<Http>,
    runner: Arc<Runner>,
    watcher: Watcher,
    page: Option<Page>,
    listener: TcpListener,
    addr: SocketAddr,
    emulator: Option<Emulator>,
    answers_from: String,
    grace: Duration,
}

impl App {
    /// Finds the way to Bedrock, or starts the emulator, and listens.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start(settings: &Serve) -> Result<Self, StartError> {
        let listener = listen(settings).await?;
        let (options, found, emulator) = upstream(settings).await?;
        Self::assemble(settings, listener, &options, &found, emulator).await
    }

    /// The same with a way to Bedrock that is given instead of looked for.
    ///
    /// # Errors
    /// [`StartError`].
    pub async fn start_with(settings: &Serve, options: &Options) -> Result<Self, StartError> {
        let listener = listen(settings).await?;
        let found = find(options).await?;
        Self::assemble(settings, listener, options, &found, None).await
    }

    async fn assemble(
        settings: &Serve,
        listener: (TcpListener, SocketAddr),
        options: &Options,
        found: &Found,
        emulator: Option<Emulator>,
    ) -> Result<Self, StartError> {
        let (listener, addr) = listener;
        let demo = emulator.is_some();
        let answers_from = if demo {
            "the built-in emulator".to_owned()
        } else {
            format!("Bedrock in {} with {}", found.region, found.identity)
        };
        let catalog = catalog(settings)?;
        let budgets = Budgets::new(settings.money.budgets.clone()).map_err(StartError::Budgets)?;
        if budgets.are_in_dollars() {
            let models = settings.offered_models(demo).into_iter().chain(settings.bedrock.fallback_models.clone());
            let without_price = |model: &String| catalog.find(model).and_then(|known| known.price).is_none();
            if let Some(model) = models.into_iter().find(without_price) {
                return Err(StartError::Unpriced(model));
            }
        }
        let admin = settings.money.admin_token.as_ref().map(|token| AdminToken::new(token.reveal()));
        let admin = admin.map(|token| token.ok_or(StartError::AdminToken)).transpose()?;
        let auth = auth(&settings.auth, demo).await?;
        let tls = settings.server.tls_cert.as_deref().zip(settings.server.tls_key.as_deref());
        let tls = tls.map(|(certificate, key)| Tls::new(certificate, key)).transpose()?;
        let page = match settings.observe.metrics_listen {
            Some(addr) => Some(Page::open(addr).await?),
            None => None,
        };
        let observe = Observe::start(&settings.observe)?;
        let mut store = store(&settings.conversations, settings.session_ttl).await?;
        if page.is_some() {
            store = Arc::new(Measured(store));
        }
        let revocations = auth.revocations();
        revocations.read(store.as_ref(), Timestamp::from_unix_ms(0), auth.now()).await?;
        let (shares, is_one_person) = (&settings.limits, !auth.is_on());
        let (watch, settled) = Watch::new(observe.clone());
        let watcher = watcher(settings, settled, store.clone(), budgets.clone())?;
        let reports = Arc::new(Reports::new(store.clone(), budgets.clone()));
        let analytics = Analytics::new(reports.clone(), Sources::system().now, observe.clone());
        let tools = tools::start(&settings.tools, analytics)?;
        tools.ready(tools::START_TIMEOUT).await;
        let runner = Runner {
            upstream: Arc::new(connect(found, options)?.guarded(settings.upstream.guarding.guardrail())),
            store,
            catalog: Arc::new(catalog),
            tools,
            budgets,
            turns: Arc::new(Turns::within(shares.turns(is_one_person), shares.rates(is_one_person))),
            queue: Queue::new(shares.width(is_one_person), shares.queue_timeout),
            limits: limits(settings)?,
            sources: Sources::system(),
            breakers: Breakers::default(),
            settling: Semaphore::new(MAX_SETTLING),
            watch,
            tasks: TaskTracker::new(),
        };
        let unfinished = runner.close_unfinished().await?;
        if unfinished > 0 {
            info!(answers = unfinished, "the proxy before did not end them: they are kept as interrupted");
        }
        let runner = Arc::new(runner);
        let offer = Offer {
            default_model: settings.upstream.model.clone(),
            models: settings.offered_models(demo),
            message: MessageLimits {
                chars: settings.content.max_message_chars,
                tokens: settings.content.max_message_tokens,
                system_prompt_chars: settings.max_system_prompt_chars(),
            },
            max_parallel_turns: shares.max_turns_per_socket,
            demo,
        };
        let server = &settings.server;
        let http = Http {
            service: Arc::new(Service::new(runner.clone(), auth, offer, reports)),
            sockets: Sockets::new(MaxSockets {
                all: server.max_sockets as usize,
                of_user: server.max_sockets_per_user as usize,
                of_organization: server.max_sockets_per_organization as usize,
            }),
            origins: Origins::new(&server.allowed_origins, &server.allowed_hosts, addr),
            www: settings.server.www.clone(),
            admin,
            observe,
            tls,
            limits: server.http_limits(),
        };
        let grace = settings.server.shutdown_grace;
        Ok(Self { http: Arc::new(http), runner, watcher, page, listener, addr, emulator, answers_from, grace })
    }

    /// What answers requests, whatever they come over.
    pub fn service(&self) -> &Arc<Service> {
        &self.http.service
    }

    /// The sockets that are open.
    pub fn sockets(&self) -> &Arc<Sockets> {
        &self.http.sockets
    }

    /// Who is told of what happens: to be closed when nothing happens any more.
    pub fn observe(&self) -> &Observe {
        &self.http.observe
    }

    /// Where Prometheus finds metrics, if it does.
    pub fn metrics_addr(&self) -> Option<SocketAddr> {
        self.page.as_ref().map(Page::addr)
    }

    /// Where it listens.
    pub fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// The address to call it by.
    pub fn url(&self) -> String {
        let scheme = if self.http.tls.is_some() { "https" } else { "http" };
        format!("{scheme}://{}", self.addr)
    }

    /// The emulator, in demo mode.
    pub fn emulator(&self) -> Option<&Emulator> {
        self.emulator.as_ref()
    }

    /// Who answers, for people to read.
    pub fn answers_from(&self) -> &str {
        &self.answers_from
    }

    /// Who may talk, for people to read.
    pub fn authentication(&self) -> &'static str {
        match self.http.service.auth().is_on() {
            true => "authentication is on: who connects has to show a token",
            false => "authentication is off: whoever is on this machine is the same person, and an operator",
        }
    }

    /// Serves until `stop` is ready, then gives the answers under way their time and says goodbye to every socket. Health checks are
    /// answered until the end, so that a load balancer sees that the proxy is not ready.
    pub async fn run(self, stop: impl Future<Output = ()>) {
        let Http { sockets, service, .. } = self.http.as_ref();
        let stop_watching = CancellationToken::new();
        let watching = tokio::spawn(self.watcher.run(stop_watching.clone()));
        let goodbye = async {
            stop.await;
            info!(sockets = sockets.count(), answers = service.running(), "stopping");
            sockets.drain();
            service.wind_up(self.grace, SETTLE_TIMEOUT).await;
            stop_watching.cancel();
            let _ = tokio::time::timeout(GOODBYE_TIMEOUT, async { tokio::join!(sockets.empty(), watching) }).await;
        };
        tokio::select! {
            () = self.http.clone().accept(self.listener) => {}
            never = serve_page(self.page, self.http.clone()) => match never {},
            never = lasting(|| self.runner.sweep()) => match never {},
            never = lasting(|| follow_revocations(&self.http, self.runner.store.as_ref())) => match never {},
            never = reload_tls(self.http.tls.as_ref()) => match never {},
            () = goodbye => {}
        }
        self.runner.tools.shutdown().await;
        self.http.observe.finish_traces().await;
        if let Some(emulator) = self.emulator {
            emulator.shutdown().await;
        }
    }
}

/// Reads the certificate and its key anew at every SIGHUP.
async fn reload_tls(tls: Option<&Tls>) -> Infallible {
    let hangup = tls.and_then(|tls| Some((tls, signal(SignalKind::hangup()).ok()?)));
    let Some((tls, mut hangup)) = hangup else { return std::future::pending().await };
    while hangup.recv().await.is_some() {
        match tls.reload() {
            Ok(()) => info!("the certificate and its key were read anew"),
            Err(error) => error!(%error, "the certificate is still the one from before"),
        }
    }
    std::future::pending().await
}

/// Ends the sockets of those who may not talk any more.
async fn follow_revocations(http: &Http, store: &dyn Store) -> Infallible {
    let see_to = |revocations: &Revocations| http.sockets.end(|identity| revocations.cover(identity));
    http.service.auth().revocations().follow(store, Sources::system().now, see_to).await
}

/// Serves metrics, if anybody wants them.
async fn serve_page(page: Option<Page>, http: Arc<Http>) -> Infallible {
    let levels = move || Levels {
        sockets: http.sockets.count(),
        turns: http.service.running(),
        calls: http.service.calls_in_line(),
    };
    match page {
        Some(page) => page.serve(levels).await,
        None => std::future::pending().await,
    }
}

/// Who may talk.
async fn auth(settings: &Authentication, demo: bool) -> Result<Auth, StartError> {
    let sources = Sources::system();
    Ok(if settings.is_on(demo) { Auth::on(settings, sources).await? } else { Auth::off(sources) })
}

async fn listen(settings: &Serve) -> Result<(TcpListener, SocketAddr), StartError> {
    let listen = settings.server.listen;
    // Whether it is in demo mode is known later; there would be no key then either.
    if !listen.ip().is_loopback() && !settings.auth.is_on(settings.bedrock.demo != Demo::Never) {
        return Err(StartError::NotLoopback(listen));
    }
    if let Some(www) = settings.server.www.as_deref().filter(|www| !www.join("index.html").is_file()) {
        return Err(StartError::NoPage(www.display().to_string()));
    }
    let listener = TcpListener::bind(listen).await.map_err(|error| match error.kind() {
        io::ErrorKind::AddrInUse => StartError::AddressInUse(listen),
        _ => StartError::Listen(listen, error),
    })?;
    let addr = listener.local_addr().map_err(|error| StartError::Listen(listen, error))?;
    Ok((listener, addr))
}

async fn store(settings: &Conversations, session_ttl: Option<Duration>) -> Result<Arc<dyn Store>, StartError> {
    if session_ttl.is_some() && settings.store != StoreKind::Dynamodb {
        return Err(StartError::SessionTtl);
    }
    Ok(match settings.store {
        StoreKind::Sqlite => Arc::new(SqliteStore::open(&settings.data_dir)?),
        StoreKind::Dynamodb => {
            let client = dynamodb_client(&settings.dynamodb).await?;
            let store = DynamoStore::new(client, &settings.dynamodb.table, session_ttl);
            store.check().await?;
            Arc::new(store)
        }
        StoreKind::Memory => Arc::new(MemoryStore::default()),
    })
}

async fn dynamodb_client(settings: &Dynamodb) -> Result<aws_sdk_dynamodb::Client, StartError> {
    let options = Options { endpoint_url: settings.endpoint_url.clone(), fixed: None };
    Ok(dynamodb::connect(&options).await?)
}

/// Makes the table that the store in DynamoDB needs; `false` where it was there.
///
/// # Errors
/// [`StartError`].
pub async fn create_table(settings: &Dynamodb) -> Result<bool, StartError> {
    Ok(dynamodb::create_table(&dynamodb_client(settings).await?, &settings.table).await?)
}

/// The store for a look at it, which a proxy may be using meanwhile. Nothing can be written to it.
///
/// # Errors
/// [`StartError`].
pub async fn store_to_read(settings: &Conversations) -> Result<Arc<dyn Store>, StartError> {
    match settings.store {
        StoreKind::Sqlite => Ok(Arc::new(SqliteStore::open_to_read(&settings.data_dir)?)),
        StoreKind::Dynamodb => store(settings, None).await,
        StoreKind::Memory => Err(StartError::StoreInMemory),
    }
}

/// Who looks at what is settled.
fn watcher(
    settings: &Serve,
    settled: Settled,
    store: Arc<dyn Store>,
    budgets: Budgets,
) -> Result<Watcher, AddressError> {
    let webhook = settings.money.alert_webhook.as_ref().map(|url| Webhook::new(url.reveal())).transpose()?;
    let rule = Rule { times: settings.money.alert_unusual, floor_tokens: settings.money.alert_unusual_tokens };
    Ok(Watcher {
        settled,
        store,
        unusual: Unusual::new(rule),
        heights: Heights::new(budgets, settings.money.alert_at.clone()),
        metrics: settings.money.metrics.map(|MetricsFormat::Emf| Metrics::new(io::stdout())),
        webhook,
        now: Sources::system().now,
    })
}

/// The models and prices of the file that is set, named after it, or those this version was built with.
fn catalog(settings: &Serve) -> Result<Catalog, StartError> {
    let Some(path) = &settings.money.prices else { return Ok(Catalog::builtin()) };
    let unreadable = |error: &dyn std::fmt::Display| StartError::Prices(path.clone(), error.to_string());
    let csv = std::fs::read_to_string(path).map_err(|error| unreadable(&error))?;
    let version = path.file_stem().unwrap_or_default().to_string_lossy();
    Catalog::from_csv(&version, &csv).map_err(|error| unreadable(&error))
}

async fn upstream(settings: &Serve) -> Result<(Options, Found, Option<Emulator>), StartError> {
    let options = Options { endpoint_url: settings.upstream.endpoint_url.clone(), fixed: None };
    if settings.bedrock.demo != Demo::Always {
        match find(&options).await {
            Ok(found) => return Ok((options, found, None)),
            Err(ConnectError::Credentials(_)) if settings.bedrock.demo == Demo::Auto => {}
            Err(error) => return Err(error.into()),
        }
    }
    let first_token_ms = if settings.bedrock.demo_pace > 0.0 { Pace::HUMAN.first_token_ms } else { 0 };
    let pace = Pace { first_token_ms, tokens_per_second: settings.bedrock.demo_pace };
    let emulator =
        Emulator::start(EmulatorConfig { pace, ..EmulatorConfig::default() }).await.map_err(StartError::Emulator)?;
    let credentials = Credentials::new(ACCESS_KEY_ID, SECRET_ACCESS_KEY, None, None, "demo mode");
    let options = Options { endpoint_url: Some(emulator.url()), fixed: Some((credentials, DEMO_REGION.to_owned())) };
    let found = find(&options).await?;
    Ok((options, found, Some(emulator)))
}

fn limits(settings: &Serve) -> Result<Limits, StartError> {
    Ok(Limits {
        system_prompt: settings.answers.system_prompt.clone().filter(|prompt| !prompt.trim().is_empty()),
        max_tokens: settings.answers.max_tokens,
        temperature: settings.answers.temperature,
        history_messages: settings.answers.history_messages as usize,
        first_event_timeout: settings.answers.first_event_timeout,
        event_timeout: settings.answers.event_timeout,
        reasoning_timeout: settings.answers.reasoning_timeout,
        answer_timeout: settings.answers.answer_timeout,
        retry: RetryPolicy {
            max_attempts: settings.bedrock.max_attempts,
            base: settings.bedrock.retry_base,
            timeout: settings.bedrock.retry_timeout,
        },
        fallback_models: settings.bedrock.fallback_models.clone(),
        stop_drain: (settings.answers.on_stop == OnStop::Drain).then_some(settings.answers.stop_drain_timeout),
        unwatched_timeout: settings.answers.unwatched_timeout,
        model_rules: model_rules(settings)?,
        tools: settings.tools.limits(),
        reasoning_tokens: settings.tools.reasoning_tokens,
        prompt_cache: settings.tools.prompt_cache == Switch::On,
    })
}

fn model_rules(settings: &Serve) -> Result<ModelRules, StartError> {
    let Some(path) = &settings.content.organization_models else { return Ok(ModelRules::none()) };
    let csv = std::fs::read_to_string(path).map_err(|error| error.to_string());
    csv.and_then(|csv| ModelRules::from_csv(&csv)).map_err(|error| StartError::ModelRules(path.clone(), error))
}

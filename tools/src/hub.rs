//! All servers together.

use std::{
    collections::BTreeSet,
    fmt,
    sync::{Arc, Once},
    time::Duration,
};

use serde_json::{Map, Value};
use tokio::{io::DuplexStream, sync::watch, time::timeout};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

use crate::{
    Caller, Config, Held, MAX_TOOLS, Options, Outcome, Pins, Progress, Resolver, ServerState, SystemResolver, Tool,
    connect::Source, handler::Listener, server::Server,
};

/// Serves MCP over a pipe, in a task of its own.
pub type Serve = Arc<dyn Fn(DuplexStream) + Send + Sync>;

/// A server within this process. Its tools are trusted, not pinned, and it is told who asks.
#[derive(Clone)]
pub struct Builtin {
    /// Its name, which no server of the file may have.
    pub name: Arc<str>,
    /// What the file has for others. `pass_caller` is taken as set.
    pub options: Options,
    /// Is called whenever it is started.
    pub serve: Serve,
}

impl fmt::Debug for Builtin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Builtin").field("name", &self.name).finish_non_exhaustive()
    }
}

/// All servers, running until [`Hub::shutdown`] or until it is dropped.
pub struct Hub {
    servers: Vec<Arc<Server>>,
    stop: CancellationToken,
    tasks: TaskTracker,
    revision: watch::Sender<u64>,
    too_many: Once,
}

impl fmt::Debug for Hub {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hub").field("servers", &self.servers()).finish_non_exhaustive()
    }
}

impl Hub {
    /// Starts all servers, each in a task of its own, and returns at once.
    #[must_use]
    pub fn start(config: Config, builtins: Vec<Builtin>, pins: Pins) -> Arc<Self> {
        Self::start_with(config, builtins, pins, Arc::new(SystemResolver))
    }

    /// Like [`Hub::start`], with names of hosts resolved by `resolver`.
    #[must_use]
    pub fn start_with(config: Config, builtins: Vec<Builtin>, pins: Pins, resolver: Arc<dyn Resolver>) -> Arc<Self> {
        let revision = watch::Sender::new(0);
        let mut servers: Vec<Arc<Server>> = Vec::with_capacity(builtins.len() + config.servers.len());
        for Builtin { name, mut options, serve } in builtins {
            options.pass_caller = true;
            servers.push(Arc::new(Server::new(
                name,
                options,
                Source::Builtin(serve),
                None,
                resolver.clone(),
                revision.clone(),
            )));
        }
        for server in config.servers {
            if servers.iter().any(|known| known.name == server.name) {
                tracing::warn!(
                    server = &*server.name,
                    "a server of the file has the name of one that is built in and is left out; rename it"
                );
                continue;
            }
            let source = Source::Configured(server.launch);
            servers.push(Arc::new(Server::new(
                server.name,
                server.options,
                source,
                Some(pins.clone()),
                resolver.clone(),
                revision.clone(),
            )));
        }
        Self::of(servers, revision)
    }

    /// Runs these servers.
    pub(crate) fn of(mut servers: Vec<Arc<Server>>, revision: watch::Sender<u64>) -> Arc<Self> {
        servers.sort_by(|a, b| a.name.cmp(&b.name));
        let (stop, tasks) = (CancellationToken::new(), TaskTracker::new());
        for server in &servers {
            tasks.spawn(server.clone().run(stop.clone()));
        }
        tasks.close();
        Arc::new(Self { servers, stop, tasks, revision, too_many: Once::new() })
    }

    /// Waits until every server was up or failed once, at most for `limit`. Whether that is so.
    pub async fn ready(&self, limit: Duration) -> bool {
        let all = async {
            for server in &self.servers {
                // The sender lives in the server.
                let _ = server.standing.subscribe().wait_for(|standing| standing.is_settled).await;
            }
        };
        timeout(limit, all).await.is_ok()
    }

    /// Ends all servers, and returns when they have ended.
    pub async fn shutdown(&self) {
        self.stop.cancel();
        self.tasks.wait().await;
    }

    /// All servers as they are now, by name.
    #[must_use]
    pub fn servers(&self) -> Vec<ServerState> {
        self.servers.iter().map(|server| server.state()).collect()
    }

    /// A number that grows whenever a server or its tools change.
    #[must_use]
    pub fn revisions(&self) -> watch::Receiver<u64> {
        self.revision.subscribe()
    }

    /// The tools that `caller` may use now, by server and name.
    #[must_use]
    pub fn offer(&self, caller: &Caller) -> Vec<Arc<Tool>> {
        let mut names = BTreeSet::new();
        let mut tools = Vec::new();
        for server in &self.servers {
            let offered = server.standing.borrow().tools.clone();
            // Names that are the same by chance, once in four thousand million pairs, or by design.
            tools
                .extend(offered.into_iter().filter(|tool| tool.is_for(caller) && names.insert(tool.wire_name.clone())));
        }
        if tools.len() > MAX_TOOLS {
            let found = tools.len();
            self.too_many.call_once(|| {
                tracing::warn!(found, "more tools than {MAX_TOOLS} could be offered; turn some off in the file")
            });
            tools.truncate(MAX_TOOLS);
        }
        tools
    }

    /// The tool that `caller` is offered under this name on the wire.
    #[must_use]
    pub fn find(&self, caller: &Caller, wire_name: &str) -> Option<Arc<Tool>> {
        self.offer(caller).into_iter().find(|tool| tool.wire_name == wire_name)
    }

    /// The tools that are held back, by server and name.
    #[must_use]
    pub fn held_back(&self) -> Vec<Held> {
        self.servers.iter().flat_map(|server| server.standing.borrow().held.clone()).collect()
    }

    /// Calls `tool` for `caller` and waits for what comes of it, at most for the tool's time. Dropped, the call is cancelled at its
    /// server. Whether a person has to agree first is up to who calls.
    pub async fn call(&self, tool: &Arc<Tool>, caller: &Caller, arguments: Map<String, Value>) -> Outcome {
        self.call_and_listen(tool, caller, arguments, None).await
    }

    /// Like [`Hub::call`], telling `listener` how far it is. Progress gives a call no more time.
    pub async fn call_and_listen(
        &self,
        tool: &Arc<Tool>,
        caller: &Caller,
        arguments: Map<String, Value>,
        listener: Option<Arc<dyn Fn(Progress) + Send + Sync>>,
    ) -> Outcome {
        match self.servers.iter().find(|server| server.name == tool.server) {
            Some(server) => server.call(tool, caller, arguments, listener as Option<Listener>).await,
            None => Outcome::NotCalled(format!("there is no server {}", tool.server)),
        }
    }
}

impl Drop for Hub {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

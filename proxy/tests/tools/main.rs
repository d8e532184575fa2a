//! Tools: what an answer does with them, over a real socket, a real Bedrock API and a real MCP connection.
#![allow(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "tests")]

mod approval;
#[path = "../api/common/mod.rs"]
#[allow(dead_code, unused_imports, reason = "shared with the tests of the api, which use all of it")]
mod common;
mod faults;
mod files;
mod limits;
mod repair;
mod resume;
mod rounds;
mod server;
mod stop;

use std::collections::BTreeMap;

use bedrock_emulator::{Behaviour, Config, Script, Step};
use serde_json::{Value, json};

use common::{Answer, Proxy};
use server::{Does, Server};

/// A proxy that offers the tools of `server`, and an emulator with this script.
async fn proxy(server: &Server, options: Value, flags: &[&str], script: Script) -> Proxy {
    let config = server.config(options);
    let path = config.path().to_str().expect("a path").to_owned();
    let all = [&["--mcp-config", &path, "--mcp-pins", "/nonexistent/pins"], flags].concat();
    Proxy::over(&all, Config { script, ..Config::unpaced() }).await
}

/// A script that calls these tools in the first round, all at once, and says `text` in the next.
fn calling(tools: &[(&str, Value)], text: &str) -> Script {
    let asks = tools.iter().fold(Behaviour::text("I look."), |asks, (name, input)| {
        asks.with_tool_use(format!("s__{name}"), input.clone())
    });
    Script::new().step(Step::of(asks).when_round(0)).step(Step::of(Behaviour::text(text)))
}

/// A server with this one tool.
async fn one(name: &'static str, does: Does) -> Server {
    Server::start(&[(name, does)]).await
}

/// Options by which nobody is asked.
fn free() -> Value {
    json!({ "approval": "never" })
}

/// What an answer has of calls.
trait Calls {
    /// Every state of every call, in their order: its id, its state, and the event's data.
    fn calls(&self) -> Vec<(&str, &str, &Value)>;

    /// The states of its only call.
    fn states(&self) -> Vec<&str> {
        let calls = self.calls();
        assert!(calls.iter().all(|(id, ..)| *id == calls[0].0), "{calls:?}");
        calls.iter().map(|(_, status, _)| *status).collect()
    }

    /// The last state of each call by the name of its tool.
    fn ends(&self) -> BTreeMap<&str, &str> {
        self.calls().iter().map(|(_, status, data)| (data["name"].as_str().expect("a name"), *status)).collect()
    }
}

impl Calls for Answer {
    fn calls(&self) -> Vec<(&str, &str, &Value)> {
        let calls = self.frames.iter().filter(|frame| frame.kind == "chat.tool_use");
        calls.map(|frame| (frame.str("toolUseId"), frame.str("status"), &frame.data)).collect()
    }
}

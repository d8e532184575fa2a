//! From the file's JSON to its servers.

use hyper::header::{HeaderName, HeaderValue};
use serde_json::{Map, Value};
use url::{Host, Url};

use super::{Config, ConfigError, Launch, MAX_SERVERS, MAX_TIMEOUT, Options, ServerConfig, expand::expand};
use crate::{
    addresses::{Forbidden, forbidden},
    environment,
};

type Env<'a> = &'a dyn Fn(&str) -> Option<String>;

/// Headers that belong to the transport.
const RESERVED_HEADERS: [&str; 9] = [
    "accept",
    "connection",
    "content-length",
    "content-type",
    "host",
    "last-event-id",
    "mcp-protocol-version",
    "mcp-session-id",
    "transfer-encoding",
];

pub(super) fn parse(json: &str, env: Env<'_>) -> Result<Config, ConfigError> {
    let file: Value =
        serde_json::from_str(json).map_err(|error| ConfigError::Form(format!("it is no JSON: {error}")))?;
    let servers = file.get("mcpServers").ok_or_else(|| ConfigError::Form("it has no \"mcpServers\"".into()))?;
    let servers = servers.as_object().ok_or_else(|| ConfigError::Form("\"mcpServers\" is no object".into()))?;
    if servers.len() > MAX_SERVERS {
        return Err(ConfigError::Form(format!("it has more than {MAX_SERVERS} servers; leave some out")));
    }
    let mut parsed = Vec::with_capacity(servers.len());
    for (name, fields) in servers {
        let problem = |problem| ConfigError::Server { server: crate::content::cut(name, 64).to_owned(), problem };
        parsed.extend(server(name, fields, env).map_err(problem)?);
    }
    parsed.sort_by(|a: &ServerConfig, b| a.name.cmp(&b.name));
    Ok(Config { servers: parsed })
}

/// One server, unless it is disabled.
fn server(name: &str, fields: &Value, env: Env<'_>) -> Result<Option<ServerConfig>, String> {
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-');
    if !(1..=64).contains(&name.len()) || !name.bytes().all(is_name) {
        return Err("its name has to have 1 to 64 of A-Z a-z 0-9 _ . -".into());
    }
    let fields = fields.as_object().ok_or("it has to be an object")?;
    match fields.get("disabled") {
        None | Some(Value::Bool(false)) => {}
        Some(Value::Bool(true)) => return Ok(None),
        Some(_) => return Err("\"disabled\" has to be true or false".into()),
    }
    let options = options(fields.get("outcrop"))?;
    let launch = launch(fields, &options, env)?;
    Ok(Some(ServerConfig { name: name.into(), options, launch }))
}

fn options(value: Option<&Value>) -> Result<Options, String> {
    let Some(value) = value else { return Ok(Options::default()) };
    let options: Options =
        serde_path_to_error::deserialize(value).map_err(|error| match error.path().to_string().as_str() {
            "." => format!("\"outcrop\": {}", error.inner()),
            path => format!("\"outcrop\", {path}: {}", error.inner()),
        })?;
    let timeouts = options.tools.values().map(|tool| tool.timeout_seconds).chain([options.timeout_seconds]);
    if timeouts.flatten().any(|seconds| !(1..=MAX_TIMEOUT.as_secs()).contains(&seconds)) {
        return Err(format!("\"timeoutSeconds\" has to be 1 to {}", MAX_TIMEOUT.as_secs()));
    }
    options.inherit_env.iter().try_for_each(|name| variable("inheritEnv", name))?;
    Ok(options)
}

fn launch(fields: &Map<String, Value>, options: &Options, env: Env<'_>) -> Result<Launch, String> {
    let kind = optional_text(fields, "type")?;
    let has = |field| fields.contains_key(field);
    match (kind, has("command"), has("url")) {
        (Some("sse"), ..) => {
            Err("the transport \"sse\" is of the past and not spoken here; if the server speaks streamable HTTP \
            as well, use \"type\": \"http\" and its address for that"
                .into())
        }
        (None | Some("stdio"), true, false) | (Some("stdio"), true, true) => child(fields, options, env),
        (None | Some("http" | "streamable-http" | "streamableHttp"), false, true)
        | (Some("http" | "streamable-http" | "streamableHttp"), true, true) => http(fields, options, env),
        (None, true, true) => Err("it has both \"command\" and \"url\"; leave one out".into()),
        (None, false, false) => Err("it has neither \"command\" nor \"url\"; give one".into()),
        (Some("stdio"), false, _) => Err("\"command\" is missing".into()),
        (Some("http" | "streamable-http" | "streamableHttp"), _, false) => Err("\"url\" is missing".into()),
        (Some(_), ..) => Err("its \"type\" is not known; it is \"stdio\" or \"http\"".into()),
    }
}

fn child(fields: &Map<String, Value>, options: &Options, env: Env<'_>) -> Result<Launch, String> {
    let command =
        optional_text(fields, "command")?.filter(|command| !command.is_empty()).ok_or("\"command\" is empty")?;
    let args = match fields.get("args") {
        None => Vec::new(),
        Some(Value::Array(args)) => args
            .iter()
            .map(|arg| {
                expand(arg.as_str().ok_or("\"args\" has to be a list of texts")?, env)
                    .map_err(|error| format!("\"args\": {error}"))
            })
            .collect::<Result<_, _>>()?,
        Some(_) => return Err("\"args\" has to be a list of texts".into()),
    };
    let own = pairs(fields, "env", env)?;
    own.iter().try_for_each(|(name, _)| variable("env", name))?;
    let folder = optional_text(fields, "cwd")?;
    let folder = folder.map(|folder| expand(folder, env)).transpose().map_err(|error| format!("\"cwd\": {error}"))?;
    Ok(Launch::Child {
        command: expand(command, env).map_err(|error| format!("\"command\": {error}"))?,
        args,
        environment: environment::of_child(env, &options.inherit_env, own),
        folder: folder.map(Into::into),
    })
}

fn http(fields: &Map<String, Value>, options: &Options, env: Env<'_>) -> Result<Launch, String> {
    let url =
        expand(optional_text(fields, "url")?.unwrap_or_default(), env).map_err(|error| format!("\"url\": {error}"))?;
    let mut url: Url = url.parse().map_err(|_| "its \"url\" is no address; it begins with https://".to_owned())?;
    url.set_fragment(None);
    match url.scheme() {
        "https" => {}
        "http" if options.allow_private => {}
        "http" => return Err("its \"url\" is without TLS; use https, or set \"allowPrivate\" in \"outcrop\" if it is in a network of your own".into()),
        _ => return Err("its \"url\" has to begin with https://".into()),
    }
    if !url.username().is_empty() || url.password().is_some() {
        return Err("its \"url\" holds a user or password; put it into \"headers\" as Authorization".into());
    }
    check_literal(&url, options.allow_private)?;
    let headers = pairs(fields, "headers", env)?;
    for (name, value) in &headers {
        let known: HeaderName =
            name.parse().map_err(|_| "one of its \"headers\" has a name that no header can have".to_owned())?;
        if RESERVED_HEADERS.contains(&known.as_str()) {
            return Err(format!("the header {known} belongs to the transport; leave it out"));
        }
        HeaderValue::from_str(value)
            .map_err(|_| format!("the header {known} has a value that no header can have, such as a line break"))?;
    }
    Ok(Launch::Http { url, headers })
}

/// Refuses an address that is written as such, in whatever spelling.
pub(crate) fn check_literal(url: &Url, allow_private: bool) -> Result<(), String> {
    let address = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) => return Ok(()),
        None => return Err("its \"url\" has no host".into()),
    };
    match forbidden(address, allow_private) {
        None => Ok(()),
        Some(Forbidden::Metadata) => {
            Err(format!("{address} gives out credentials of the machine; it is never connected to"))
        }
        Some(Forbidden::Special(what)) => {
            Err(format!("{address} is not public ({what}); set \"allowPrivate\" in \"outcrop\" if it is meant"))
        }
    }
}

fn optional_text<'a>(fields: &'a Map<String, Value>, field: &str) -> Result<Option<&'a str>, String> {
    match fields.get(field) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text)),
        Some(_) => Err(format!("{field:?} has to be a text")),
    }
}

fn pairs(fields: &Map<String, Value>, field: &str, env: Env<'_>) -> Result<Vec<(String, String)>, String> {
    let form = || format!("{field:?} has to be an object of texts");
    let pairs = match fields.get(field) {
        None => return Ok(Vec::new()),
        Some(value) => value.as_object().ok_or_else(form)?,
    };
    let pair = |(name, value): (&String, &Value)| {
        let value =
            expand(value.as_str().ok_or_else(form)?, env).map_err(|error| format!("{field:?}, {name}: {error}"))?;
        Ok((name.clone(), value))
    };
    pairs.iter().map(pair).collect()
}

fn variable(field: &str, name: &str) -> Result<(), String> {
    if environment::is_of_aws(name) {
        return Err(format!("{field:?} names {name}: a server gets nothing that begins with AWS_; leave it out"));
    }
    match environment::is_name(name) {
        true => Ok(()),
        false => Err(format!("{field:?} has a name that no variable can have; use letters, digits and \"_\"")),
    }
}

#[cfg(test)]
mod tests;

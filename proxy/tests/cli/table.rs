//! `outcrop-proxy create-table`, and `serve` with the table.

use std::net::{Ipv4Addr, SocketAddr};

use bedrock_emulator::{ACCESS_KEY_ID, SECRET_ACCESS_KEY};
use http_body_util::{BodyExt, Full};
use hyper::{Request, Response, body::Incoming, service::service_fn};
use hyper_util::rt::TokioIo;
use outcrop_proxy::store::dynamodb::{ACTIONS, CREATE_ACTIONS};
use rustix::process::Signal;
use serde_json::json;
use socket2::{Domain, Socket, Type};
use tokio::task::JoinSet;

use crate::{
    command::{Ran, Run},
    dynamodb_server::SERVER,
    serve::{DEMO, chat, connect},
};

const WORDS_OF_AWS: &str = "User: arn:aws:iam::1:user/x is not authorized";

/// With credentials and region for a server of DynamoDB, and this table.
fn against(url: &str, table: &str) -> Run {
    Run::bare()
        .env("AWS_REGION", "eu-west-1")
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY_ID)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_ACCESS_KEY)
        .env("OUTCROP_DYNAMODB_ENDPOINT_URL", url)
        .env("OUTCROP_DYNAMODB_TABLE", table)
        .env("OUTCROP_STORE", "dynamodb")
}

/// A table's name of this test and this process.
fn name(test: &str) -> String {
    format!("cli-{test}-{}", std::process::id())
}

async fn create(run: &Run) -> String {
    let Ran { status, stdout, stderr } = run.run(&["create-table"]).await;
    assert_eq!((status.code(), stderr.as_str()), (Some(0), ""), "{stdout}");
    stdout
}

/// A server that refuses everything with this error.
async fn refusing(code: &'static str) -> (String, JoinSet<()>) {
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let url = format!("http://{}", listener.local_addr().expect("an address"));
    let refuse = move |request: Request<Incoming>| async move {
        request.into_body().collect().await?;
        let body = json!({ "__type": code, "message": WORDS_OF_AWS }).to_string();
        let response = Response::builder().status(400).header("content-type", "application/x-amz-json-1.0");
        Ok::<_, hyper::Error>(response.body(Full::<bytes::Bytes>::from(body)).expect("a response"))
    };
    let mut serving = JoinSet::new();
    serving.spawn(async move {
        let mut connections = JoinSet::new();
        loop {
            let (stream, _) = listener.accept().await.expect("a connection");
            let http = hyper::server::conn::http1::Builder::new();
            connections.spawn(http.serve_connection(TokioIo::new(stream), service_fn(refuse)));
        }
    });
    (url, serving)
}

/// An address where nobody listens, for as long as it is kept.
fn held_port() -> (String, Socket) {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).expect("a port");
    let addr = socket.local_addr().expect("an address").as_socket().expect("an address of IP");
    (format!("http://{addr}"), socket)
}

#[tokio::test]
async fn a_table_is_made_once_and_two_proxies_share_what_is_in_it() {
    let table = name("shared");
    let run = against(&SERVER.url, &table);
    assert_eq!(create(&run).await, format!("the DynamoDB table {table} is made\n"));
    assert_eq!(create(&run).await, format!("the DynamoDB table {table} was there; it is as it should be\n"));
    let mut here = run.spawn(&DEMO);
    let mut there = run.spawn(&[&DEMO[..], &["--session-ttl", "30d"]].concat());
    let said = chat(&mut connect(&mut here).await, "hello").await;
    assert_eq!(said["type"], "chat.message_complete");
    let again = chat(&mut connect(&mut there).await, "hello").await;
    assert_eq!(again["data"]["message"], said["data"]["message"], "it was answered already");
    for running in [here, there] {
        running.signal(Signal::TERM);
        let ran = running.end().await;
        assert_eq!(ran.status.code(), Some(0), "{ran:?}");
        assert!(ran.stdout.starts_with("DEMO MODE"), "{ran:?}");
    }
}

#[tokio::test]
async fn what_is_in_the_way_is_said_in_one_line_with_what_to_do() {
    let (nobody, _held) = held_port();
    let (denied, _denies) = refusing("AccessDeniedException").await;
    let (expired, _expires) = refusing("ExpiredTokenException").await;
    let (other, _others) = refusing("ValidationException").await;
    let missing = name("missing");
    let (serve, create) = (&DEMO[..], &["create-table"][..]);
    let [all, all_to_create] = [&ACTIONS[..], &CREATE_ACTIONS].map(|actions| format!("allow {}", actions.join(", ")));
    let no_key = || against(&SERVER.url, &missing).without("AWS_SECRET_ACCESS_KEY");
    let key = "set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY";
    for (run, args, parts) in [
        (against(&SERVER.url, &missing), serve, [&*missing, "in eu-west-1: make it with outcrop-proxy create-table"]),
        (against(&denied, "conversations"), serve, [WORDS_OF_AWS, &all]),
        (against(&denied, "conversations"), create, [WORDS_OF_AWS, &all_to_create]),
        (against(&expired, "t"), serve, ["does not accept the proxy's credentials", "renew them"]),
        (against(&other, "t"), serve, ["table t has other keys", "--dynamodb-table (OUTCROP_DYNAMODB_TABLE)"]),
        (
            against(&nobody, "t"),
            create,
            ["cannot be reached", "--dynamodb-endpoint-url (OUTCROP_DYNAMODB_ENDPOINT_URL)"],
        ),
        (no_key(), serve, ["no AWS credentials for DynamoDB found", key]),
        (no_key().env("AWS_BEARER_TOKEN_BEDROCK", "a-key"), create, ["no AWS credentials for DynamoDB found", key]),
        (against(&SERVER.url, &missing).without("AWS_REGION"), serve, ["no AWS region is set", "AWS_REGION=us-west-2"]),
    ] {
        run.run(args).await.assert_one_line(&parts);
    }
}

//! Probes from outside: whoever asks for what is not theirs hears exactly what they would if it did not exist.

use std::sync::atomic::{AtomicUsize, Ordering};

use bedrock_emulator::Script;
use outcrop_proxy::store::Revoked;
use serde_json::{Value, json};

use crate::common::{
    Client, Heard, Proxy,
    tokens::{WITH_TOKENS, but, claims, client_of, now, signed, token_of},
};

/// How many probes there are at least.
const PROBES: usize = 2_000;

/// What belongs to somebody, as they know it.
struct Theirs {
    session: String,
    question: String,
    answer: String,
    running_session: String,
    running_answer: String,
    running_request: String,
}

/// Somebody with a conversation, and an answer under way in another one.
async fn somebody(proxy: &Proxy, organization: &str, user: &str) -> (Client, Theirs) {
    let mut client = client_of(proxy, &token_of(organization, user)).await;
    let [session, running_session, running_request] =
        ["ses", "run", "req"].map(|kind| format!("{kind}-{organization}-{user}"));
    let answer = client.chat("q", &session, &format!("the secret of {user} of {organization}")).await;
    client.send_message(&running_request, &running_session, "/pace 20 /length 20000 Go on", true).await;
    let running_answer = client.frame().await.str("messageId").to_owned();
    let history = client.history(&session).await;
    let question = history["messages"][0]["messageId"].as_str().expect("an id").to_owned();
    let answer = answer.message_id().to_owned();
    (client, Theirs { session, question, answer, running_session, running_answer, running_request })
}

/// Every request that names anything, about each of these ids: a session, a message and a request.
fn requests(session: &str, message: &str, request: &str) -> Vec<(&'static str, Value)> {
    vec![
        ("chat.get_history", json!({ "sessionId": session })),
        ("chat.get_history", json!({ "sessionId": session, "before": message, "limit": 1 })),
        ("chat.rename_session", json!({ "sessionId": session, "title": "mine" })),
        ("chat.delete_session", json!({ "sessionId": session })),
        ("chat.list_sessions", json!({ "before": session })),
        ("chat.regenerate", json!({ "sessionId": session, "messageId": message })),
        ("chat.send_message", json!({ "sessionId": session, "message": "mine", "replaces": message })),
        ("chat.resume", json!({ "messageId": message, "after": 0 })),
        ("chat.resume", json!({ "messageId": message, "after": 7 })),
        ("chat.cancel", json!({ "messageId": message })),
        ("chat.cancel", json!({ "requestId": request })),
        ("chat.approve_tool", json!({ "toolUseId": request, "approved": true })),
    ]
}

/// What is heard of a request, whole, with the ids that were asked about taken out.
async fn answer(client: &mut Client, kind: &str, data: &Value, ids: [&str; 3]) -> String {
    // What is asked for under an id of before would be about that.
    static PROBE: AtomicUsize = AtomicUsize::new(0);
    let id = format!("probe-{}", PROBE.fetch_add(1, Ordering::Relaxed));
    client.send(&id, kind, data.clone()).await;
    let mut frame = client.frame().await;
    assert_eq!(frame.id, id);
    // An answer that was asked for and refused has an id of its own.
    if kind == "chat.regenerate" || kind == "chat.send_message" {
        frame.data.as_object_mut().expect("an object").remove("messageId");
    }
    let mut text = format!("{} {}", frame.kind, frame.data);
    for id in ids.into_iter().filter(|id| !id.is_empty()) {
        text = text.replace(id, "ID");
    }
    text
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_not_yours_is_what_does_not_exist() {
    let no_limits =
        ["--max-sockets-per-user=500", "--user-messages-per-minute=9999", "--organization-messages-per-minute=9999"];
    let proxy = Proxy::with(&[&WITH_TOKENS[..], &no_limits].concat(), Script::new()).await;
    let mut owners = Vec::new();
    for (organization, user) in [("acme", "ann"), ("acme", "bob"), ("other", "ann")] {
        owners.push(somebody(&proxy, organization, user).await);
    }
    // Another user, another organisation, and the bearers of roles that do not reach into conversations.
    let with_role = |organization: &str, role: &str| signed(&but(claims(organization, "eve"), "roles", json!(role)));
    let strangers = [
        token_of("acme", "eve"),
        token_of("other", "eve"),
        with_role("acme", "outcrop-administrator"),
        with_role("other", "outcrop-operator"),
        token_of("ACME", "ann"),
    ];
    let mut probes = 0;
    for token in &strangers {
        let mut stranger = client_of(&proxy, token).await;
        for (_, theirs) in &owners {
            let Theirs { session, question, answer: message, running_session, running_answer, running_request } =
                theirs;
            for (session, message, request) in [
                (session, question, running_request),
                (session, message, running_request),
                (running_session, running_answer, running_request),
                (session, running_answer, message),
            ] {
                // Theirs, one that is nearly theirs, and one of nobody. Of the same length: that tells nothing either.
                let made_up = |id: &String| format!("{}-", "x".repeat(id.len() - 1));
                let nearly = |id: &String| format!("{}-", &id[..id.len() - 1]);
                let theirs = [session, message, request];
                let all = [theirs.map(String::clone), theirs.map(nearly), theirs.map(made_up)];
                let asked = all.each_ref().map(|[session, message, request]| requests(session, message, request));
                for (n, (kind, _)) in asked[0].iter().enumerate() {
                    let mut said = Vec::new();
                    for (ids, requests) in all.iter().zip(&asked) {
                        said.push(
                            answer(&mut stranger, kind, &requests[n].1, ids.each_ref().map(String::as_str)).await,
                        );
                        probes += 1;
                    }
                    assert!(said[0] == said[1] && said[0] == said[2], "{kind}: {said:#?}");
                    let is_nothing = said[0].starts_with("chat.error") || said[0].contains("\"sessions\":[]");
                    assert!(!said[0].contains("secret") && is_nothing, "{}", said[0]);
                }
            }
        }
    }
    // Ids that are none.
    for malformed in [
        "",
        " ",
        "../etc/passwd",
        "a b",
        "ä",
        "'; DROP TABLE sessions; --",
        "\u{0}",
        &"x".repeat(129),
        "%",
        "*",
        "#",
        "ses#acme",
    ] {
        // Too much that makes no sense would end the connection.
        let mut stranger = client_of(&proxy, &strangers[0]).await;
        for (kind, data) in requests(malformed, malformed, malformed) {
            let said = answer(&mut stranger, kind, &data, [""; 3]).await;
            assert!(said.starts_with("chat.error") && !said.contains("secret"), "{kind} {said}");
            probes += 1;
        }
    }
    // Those who may not talk hear the same about everything.
    let expired = signed(&but(claims("acme", "ann"), "exp", json!(now() - 1)));
    let malformed = "no token at all".to_owned();
    let forged = format!("{}x", token_of("acme", "ann"));
    let revoked = signed(&but(claims("acme", "ann"), "jti", json!("revoked")));
    let what = Revoked::Token { organization: "acme".into(), id: "revoked".into() };
    proxy.service.revoke(what).await.expect("revoked");
    for token in [None, Some(expired), Some(malformed), Some(forged), Some(revoked)] {
        let (_, theirs) = &owners[0];
        let mut said = Vec::new();
        for (kind, data) in requests(&theirs.session, &theirs.answer, &theirs.running_request) {
            for data in [data, json!({}), json!({ "sessionId": "x", "messageId": "x" })] {
                let mut anonymous = proxy.connect().await;
                if let Some(token) = &token {
                    anonymous.send("h", "client.hello", json!({ "version": 1, "token": token })).await;
                    assert_eq!(anonymous.frame().await.str("code"), "unauthenticated");
                    assert!(matches!(anonymous.hear().await, Heard::Closed(4500 | 4503 | 4003, _)));
                    probes += 1;
                    continue;
                }
                anonymous.send("probe", kind, data).await;
                let frame = anonymous.frame().await;
                probes += 1;
                if frame.str("code") != "invalid_request" {
                    said.push(frame);
                }
            }
        }
        assert!(said.iter().all(|frame| *frame == said[0]), "{said:?}");
    }
    // A session of the same name is another session.
    let mut stranger = client_of(&proxy, &strangers[0]).await;
    for (_, theirs) in &owners {
        let answer = stranger.chat(&theirs.running_request, &theirs.session, "Hello").await;
        assert_ne!(answer.message_id(), theirs.answer);
        let history = stranger.history(&theirs.session).await;
        assert!(!history.to_string().contains("secret"), "{history}");
        stranger.ask("d", "chat.delete_session", json!({ "sessionId": theirs.session })).await.expect("its own");
        probes += 3;
    }
    // Nothing of it has touched what is theirs.
    let sessions = stranger.ask("l", "chat.list_sessions", json!({})).await.expect("sessions");
    assert_eq!(sessions["sessions"], json!([]));
    for ((organization, user), (client, theirs)) in
        [("acme", "ann"), ("acme", "bob"), ("other", "ann")].iter().zip(&mut owners)
    {
        assert_eq!(client.frame().await.kind, "chat.message_stream", "it goes on");
        let mut back = client_of(&proxy, &token_of(organization, user)).await;
        let history = back.history(&theirs.session).await;
        assert_eq!(history["messages"].as_array().expect("messages").len(), 2);
        assert!(history.to_string().contains(&format!("the secret of {user} of {organization}")));
        let running = back.history(&theirs.running_session).await;
        assert_eq!(running["inProgress"]["message"]["messageId"], theirs.running_answer);
    }
    assert!(probes >= PROBES, "{probes}");
}

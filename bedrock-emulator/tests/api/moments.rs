//! Any fault at any moment, and who is billed for it.

use bedrock_emulator::{Behaviour, Emulator, ErrorType, Fault, Moment, Outcome, Script, Strike};
use http_body_util::BodyExt;

use crate::common::{MODEL, Streamed, client, closed_entry, post, prompt, request, start, stream, whole};

async fn striking(what: Strike, at: Moment) -> Emulator {
    let behaviour = Behaviour::text("one two").with_tool_use("get_weather", serde_json::json!({ "city": "Oslo" }));
    start(Script::always(behaviour.with_fault(Fault::Strike { what, at }))).await
}

async fn streamed(what: Strike, at: Moment) -> Streamed {
    stream(post(&striking(what, at).await, "converse-stream", &prompt("x")).await).await
}

#[tokio::test]
async fn a_fault_before_the_response_leaves_none_and_the_call_is_billed() {
    for http2 in [false, true] {
        for operation in ["converse-stream", "converse"] {
            for what in [Strike::Cut, Strike::Reset, Strike::Garbage] {
                let emulator = striking(what, Moment::Request).await;
                let call = request(&emulator.url(), MODEL, operation, &prompt("x"));
                client(http2).request(call).await.expect_err("no response");
                let entry = closed_entry(&emulator).await;
                assert_eq!((entry.outcome, entry.status, entry.usage.is_some()), (Outcome::Cut, 0, true));
            }
            let emulator = striking(Strike::Silence, Moment::Request).await;
            let call = client(http2).request(request(&emulator.url(), MODEL, operation, &prompt("x")));
            let mut call = Box::pin(call);
            while emulator.ledger().is_empty() {
                assert!(futures_poll(&mut call).await.is_none());
            }
            drop(call);
            let entry = closed_entry(&emulator).await;
            assert_eq!((entry.outcome, entry.status, entry.usage.is_some()), (Outcome::ClientGone, 0, true));
        }
    }
}

/// What the future has come to after the other tasks had their turn.
async fn futures_poll<F: Future + Unpin>(future: &mut F) -> Option<F::Output> {
    tokio::select! {
        biased;
        output = future => Some(output),
        () = tokio::task::yield_now() => None,
    }
}

#[tokio::test]
async fn an_http_error_is_not_billed_wherever_it_was_asked_for() {
    let exception = || Strike::Exception { error: ErrorType::InternalServer, message: None };
    for (operation, at) in
        [("converse-stream", Moment::Request), ("converse", Moment::Request), ("converse", Moment::Stop)]
    {
        let emulator = striking(exception(), at).await;
        assert_eq!(whole(post(&emulator, operation, &prompt("x")).await).await.0, 500);
        let entry = closed_entry(&emulator).await;
        assert_eq!((entry.outcome, entry.usage, entry.text_sent.as_str()), (Outcome::Rejected, None, ""));
    }
}

#[tokio::test]
async fn a_stream_has_sent_just_what_comes_before_the_moment() {
    let start = "messageStart";
    let delta = "contentBlockDelta";
    let stop = "contentBlockStop";
    let whole = [start, delta, delta, stop, "contentBlockStart"];
    for what in [Strike::Cut, Strike::Reset, Strike::End] {
        for (at, kinds) in [
            (Moment::Headers, &whole[..0]),
            (Moment::Deltas(0), &whole[..1]),
            (Moment::Deltas(1), &whole[..2]),
            (Moment::Deltas(2), &whole[..5]),
            (Moment::Frame(1), &whole[..2]),
        ] {
            let got = streamed(what.clone(), at).await;
            assert_eq!((got.kinds(), got.ended), (kinds.to_vec(), what == Strike::End), "{what:?} {at:?}");
            assert_eq!(got.left_over > 0, matches!(at, Moment::Frame(_)), "{what:?} {at:?}");
        }
        let after_stop = streamed(what.clone(), Moment::Stop).await;
        assert_eq!((after_stop.last().kind.as_str(), after_stop.ended), ("messageStop", what == Strike::End));
        let after_all = streamed(what.clone(), Moment::End).await;
        assert_eq!((after_all.last().kind.as_str(), after_all.ended), ("metadata", what == Strike::End));
    }
}

#[tokio::test]
async fn a_tool_input_breaks_off_where_it_was_asked_to() {
    let got = streamed(Strike::Cut, Moment::Deltas(4)).await;
    let input: String = got.events.iter().filter_map(|e| e.payload["delta"]["toolUse"]["input"].as_str()).collect();
    assert_eq!((got.text().as_str(), got.deltas()), ("one two", 4));
    assert!(!input.is_empty() && r#"{"city":"Oslo"}"#.starts_with(&input), "{input}");
}

#[tokio::test]
async fn every_broken_frame_is_refused_by_the_decoder_of_the_aws_sdk() {
    for (at, deltas) in [(Moment::Headers, 0), (Moment::Deltas(1), 1), (Moment::Stop, 5)] {
        for what in [Strike::Checksum, Strike::Garbage, Strike::Length] {
            let got = streamed(what.clone(), at).await;
            // Who reads the length first waits for the rest of it.
            assert!(got.broken || got.left_over > 0, "{what:?} {at:?}");
            assert!(got.ended && !got.kinds().contains(&"metadata"), "{what:?} {at:?}");
            assert!(got.deltas() >= deltas.min(2), "{what:?} {at:?}");
        }
    }
}

#[tokio::test]
async fn a_whole_answer_breaks_off_in_its_body() {
    for what in [Strike::Cut, Strike::Reset, Strike::End, Strike::Garbage] {
        for (at, has_bytes) in [(Moment::Headers, what == Strike::Garbage), (Moment::Frame(0), true)] {
            let emulator = striking(what.clone(), at).await;
            let response = post(&emulator, "converse", &prompt("x")).await;
            assert_eq!(response.status(), 200);
            let mut body = response.into_body();
            let mut bytes = Vec::new();
            let ended = loop {
                match body.frame().await {
                    None => break true,
                    Some(Err(_)) => break false,
                    Some(Ok(frame)) => bytes.extend_from_slice(frame.data_ref().expect("data")),
                }
            };
            assert_eq!((ended, !bytes.is_empty()), (matches!(what, Strike::End | Strike::Garbage), has_bytes));
            assert!(serde_json::from_slice::<serde_json::Value>(&bytes).is_err(), "{what:?} {at:?}");
            assert!(closed_entry(&emulator).await.usage.is_some());
        }
    }
}

#[test]
fn a_strike_is_written_in_a_script_as_the_readme_says() {
    let json = r#"{"steps":[
        {"do":{"fault":{"kind":"strike","what":"reset","at":"headers"}}},
        {"do":{"fault":{"kind":"strike","what":{"exception":{"error":"ThrottlingException"}},"at":{"deltas":3}}}}]}"#;
    let steps = json.parse::<Script>().expect("a script").steps;
    let faults: Vec<_> = steps.into_iter().map(|step| step.behaviour.fault.expect("a fault")).collect();
    let reset = Fault::Strike { what: Strike::Reset, at: Moment::Headers };
    assert_eq!(faults, [reset, Fault::exception(ErrorType::Throttling, Moment::Deltas(3))]);
}

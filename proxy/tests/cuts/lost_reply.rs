//! The message arrives, and the network fails before a word of its answer comes back.

use std::sync::Arc;

use bedrock_emulator::Script;

use crate::{
    chaos::{Network, Tally},
    common::{Proxy, within},
    page::Page,
};

#[tokio::test]
async fn a_message_whose_acknowledgement_is_lost_is_sent_again_and_answered_once() {
    for streaming in [true, false] {
        let proxy = Proxy::with(&[], Script::new()).await;
        let network = Network::start(proxy.addr, 1, Arc::new(Tally::default())).await;
        let mut page = Page::new(network.addr, 1);
        page.connect();
        within("a greeting", page.until(Page::is_open)).await;
        network.hold_replies();
        let handle = page.send("s", "Explain rivers", streaming, false);
        // The proxy has called Bedrock, so it has the message; nothing has passed the network since.
        within("the call", page.until(|_| !proxy.emulator.ledger().is_empty())).await;
        assert_eq!(page.held(handle).text, "");
        network.cut();
        within("the answer", page.until(|page| page.held(handle).ended())).await;
        let (held, call) = (page.held(handle), proxy.ended_call().await);
        match &held.reply {
            Some(reply) => assert_eq!(reply["message"]["content"], call.text_sent),
            None => assert_eq!(held.text, call.text_sent),
        }
        assert!(held.failed.is_none(), "{held:?}");
        assert_eq!(page.usage().all.turns, 1);
        assert_eq!(proxy.history("s").await["messages"].as_array().map(Vec::len), Some(2));
    }
}

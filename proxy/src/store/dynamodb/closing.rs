//! An answer ends: one transaction.

use protocol::{MessageId, Role, Timestamp};
use tracing::warn;

use super::{
    DynamoStore, accounts,
    answers::open_of,
    item::{Attributes, Change, Item, n, s},
    keys,
    ledger::bill,
    messages::{Place, Text, message_item, parts_of},
    sessions::{KeptSession, USED},
    table::{Outcome, Transaction, Tries, contended, is_text},
};
use crate::{
    principal::Owner,
    store::{Amount, Call, Closing, Kept, OpenAnswer, StoreError},
};

/// An answer that is being closed.
struct Ending<'a> {
    owner: &'a Owner,
    id: &'a MessageId,
    closing: &'a Closing,
    /// Tells this closing from that of another process.
    by: String,
    /// When the answer was asked for.
    asked: Timestamp,
    /// The text of the message, and the conversation it is written in.
    text: Option<(String, Text)>,
    /// The text that was there before.
    replaced: Option<(String, Text)>,
    /// Whether there are checkpoints.
    has_text: bool,
    tries: Tries,
}

impl DynamoStore {
    pub(super) async fn end(&self, owner: &Owner, id: &MessageId, closing: &Closing) -> Result<(), StoreError> {
        let mut ending = Ending {
            owner,
            id,
            closing,
            by: self.unique(),
            asked: Timestamp::from_unix_ms(0),
            text: None,
            replaced: None,
            has_text: false,
            tries: Tries::default(),
        };
        let ended = self.try_to_end(&mut ending).await;
        let unused = match ended {
            Ok(()) => &ending.replaced,
            Err(_) => &ending.text,
        };
        // Where nobody knows whether the answer is closed, its text may be in use.
        if let (Some((conversation, text)), true) = (unused, ended.is_ok() || !ending.tries.is_unknown()) {
            self.drop_text(conversation, text).await;
        }
        if ended.is_ok() {
            self.uncertain.forget(owner, id);
            if ending.has_text
                && let Err(error) = self.drop_checkpoints(owner, id).await
            {
                warn!(message_id = %id, %error, "checkpoints of an answer that is closed are left in the table until they expire");
            }
        }
        ended
    }

    async fn try_to_end(&self, ending: &mut Ending<'_>) -> Result<(), StoreError> {
        let Ending { owner, id, closing, .. } = *ending;
        loop {
            let Some(item) = self.table.get(&keys::open_answer(owner, id)).await? else {
                return if self.is_settled_by(ending).await? { Ok(()) } else { Err(StoreError::NotOpen) };
            };
            if is_text(item.get("kept_by"), &ending.by) && closing.calls.is_none() {
                return Ok(());
            }
            let open = open_of(&item)?;
            ending.has_text = item.has("has_text");
            ending.asked = closing.calls.iter().flatten().next().map_or(open.opening.started, |call| call.asked);
            let kept = match self.kept(owner, &open.session).await {
                Ok(kept) => Some(kept).filter(|kept| is_text(item.get("life"), &kept.life)),
                Err(StoreError::SessionNotFound) => None,
                Err(error) => return Err(error),
            };
            let mut message = closing.message.as_ref().zip(kept.as_ref());
            if kept.as_ref().is_some_and(|kept| has_given_way(&item, kept)) {
                message = None;
                ending.replaced = ending.text.take();
            }
            if message.is_none() && closing.calls.is_none() {
                return Ok(());
            }
            if let Some((message, kept)) = message {
                self.write_answer(ending, message, kept).await?;
            }
            let transaction = self.ending(ending, &item, &open, kept.as_ref()).await?;
            match self.table.transact(transaction).await? {
                Outcome::Done => return Ok(()),
                Outcome::Refused(_) | Outcome::Contended => ending.tries.again(contended()).await?,
                Outcome::Unknown(error) => ending.tries.find_out(error)?,
            }
        }
    }

    /// Whether the answer was settled by a try that nobody knew of.
    async fn is_settled_by(&self, ending: &Ending<'_>) -> Result<bool, StoreError> {
        if ending.tries.is_first() {
            return Ok(false);
        }
        let kept = self.table.get(&keys::bill(ending.owner, ending.asked, ending.id)).await?;
        Ok(kept.is_some_and(|kept| is_text(kept.get("by"), &ending.by)))
    }

    /// Writes the text of the message, once.
    async fn write_answer(&self, ending: &mut Ending<'_>, answer: &Kept, kept: &KeptSession) -> Result<(), StoreError> {
        if ending.text.is_none() {
            let conversation = kept.conversation(ending.owner);
            let text = self.write_message(&conversation, answer, self.expiry(answer.message.timestamp)).await?;
            ending.text = Some((conversation, text));
        }
        Ok(())
    }

    async fn ending(
        &self,
        ending: &mut Ending<'_>,
        item: &Item,
        open: &OpenAnswer,
        kept: Option<&KeptSession>,
    ) -> Result<Transaction<()>, StoreError> {
        let mut transaction = self.table.transaction();
        // The number of the message that is there already.
        let there: Option<u64> = item.find_number("n");
        let as_read = Change::of(keys::open_answer(ending.owner, ending.id));
        let as_read = match there {
            Some(there) => as_read.when("#n = :there").with("there", n(there)),
            None => as_read.when("attribute_exists(#pk) AND attribute_not_exists(#n)"),
        };
        match &ending.closing.calls {
            Some(calls) => {
                // All of it is given back, also what was set aside meanwhile.
                let as_read = as_read.when("#reservation = :reserved").with("reserved", s(item.text("reservation")?));
                transaction.delete((), as_read)?;
                self.settle(&mut transaction, ending, open, calls).await?;
            }
            None => {
                let number = there.or(kept.map(|kept| kept.last + 1)).unwrap_or_default();
                transaction.update((), as_read.set("n", n(number)).set("kept_by", s(&ending.by)))?;
            }
        }
        match (there, kept) {
            (Some(there), Some(kept)) => self.replace_message(&mut transaction, ending, there, kept).await?,
            (None, Some(kept)) => self.add_message(&mut transaction, ending, kept)?,
            (_, None) => {}
        }
        Ok(transaction)
    }

    /// Adds what the answer used to the ledger, and to its accounts.
    async fn settle(
        &self,
        transaction: &mut Transaction<()>,
        ending: &Ending<'_>,
        open: &OpenAnswer,
        calls: &[Call],
    ) -> Result<(), StoreError> {
        let Ending { owner, id, by, asked, .. } = ending;
        self.note_day(*asked).await?;
        transaction.put((), bill(owner, &open.session, id, *asked, by, calls)?, None)?;
        let spent = calls.iter().map(Call::amount).fold(Amount::default(), Amount::plus);
        let reservation = &open.opening.reservation;
        for account in &reservation.accounts {
            transaction.update((), accounts::settling(account, reservation.amount, spent))?;
        }
        Ok(())
    }

    /// Puts the message in the place of the one that is there.
    async fn replace_message(
        &self,
        transaction: &mut Transaction<()>,
        ending: &mut Ending<'_>,
        there: u64,
        kept: &KeptSession,
    ) -> Result<(), StoreError> {
        let (Some(Kept { message, .. }), Some((conversation, text))) = (&ending.closing.message, &ending.text) else {
            return Ok(());
        };
        let key = keys::message(conversation, there);
        let before = self.table.get(&key).await?;
        ending.replaced = before.as_ref().map(parts_of).transpose()?.flatten().map(|text| (conversation.clone(), text));
        let mut item = message_item(&key, message, text);
        self.expire(&mut item, message.timestamp);
        transaction.put((), item, None)?;
        transaction.check((), kept.change(ending.owner))
    }

    /// Adds the message at the end of the session, if there is one, and makes the session free.
    fn add_message(
        &self,
        transaction: &mut Transaction<()>,
        ending: &Ending<'_>,
        kept: &KeptSession,
    ) -> Result<(), StoreError> {
        let mut change = kept.change(ending.owner).set("version", n(kept.version + 1));
        let is_under_way = kept.open.as_ref() == Some(ending.id);
        if is_under_way {
            change = change.remove("open");
        }
        if let (Some(Kept { message, .. }), Some((conversation, text))) = (&ending.closing.message, &ending.text) {
            let last = kept.last + 1;
            change = change
                .set("last", n(last))
                .set("messages", n(kept.session.message_count.saturating_add(1)))
                .set("updated", n(message.timestamp.unix_ms()))
                .set(USED, s(self.use_at(message.timestamp)));
            change = self.expiring(change, message.timestamp);
            let session = kept.session.session_id.clone();
            let is_answer = message.role == Role::Assistant;
            let place = Place { session, life: kept.life.clone(), n: last, is_answer };
            for mut item in [
                message_item(&keys::message(conversation, last), message, text),
                place.item(ending.owner, &message.message_id),
            ] {
                self.expire(&mut item, message.timestamp);
                transaction.put((), item, None)?;
            }
        } else if !is_under_way {
            return Ok(());
        }
        transaction.update((), change)
    }
}

/// Whether the answer or its question has given way to another.
fn has_given_way(open: &Item, kept: &KeptSession) -> bool {
    let number = |name| open.find_number(name).is_some_and(|number| kept.cuts.has(number));
    number("n") || number("question")
}

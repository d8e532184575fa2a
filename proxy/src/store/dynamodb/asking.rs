//! A question is taken: one transaction.

use protocol::{MessageId, RequestId, Role, SessionId};

use super::{
    DynamoStore, accounts,
    answers::{lease_of, opened},
    cuts::Cut,
    item::{Attributes, Change, Item, bytes, n, s, unreadable},
    keys,
    messages::{Place, Text, message_item, number_of},
    sessions::{KeptSession, USED, key_of},
    table::{Outcome, Transaction, Tries, contended, is_text},
};
use crate::{
    principal::Owner,
    store::{Ask, Asked, Fingerprint, Kept, MAX_MESSAGES, StoreError, title_from},
};

/// The parts of the transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    /// Nothing was asked under the id.
    Asked,
    /// There is enough left in this account of the reservation.
    Account(usize),
    /// No answer of this id is open.
    Opening,
    /// What was read is as it was.
    Other,
}

/// A question that is being taken.
struct Taking<'a> {
    owner: &'a Owner,
    session: &'a SessionId,
    ask: &'a Ask,
    /// Tells this question from the same one, taken by someone else.
    by: String,
    /// The text of the question, and the conversation it is written in.
    text: Option<(String, Text)>,
    /// The note of what gives way.
    cut: Option<Item>,
    tries: Tries,
}

impl DynamoStore {
    pub(super) async fn find_asked(
        &self,
        owner: &Owner,
        session: &SessionId,
        request: &RequestId,
    ) -> Result<Option<Asked>, StoreError> {
        let conversation = self.kept(owner, session).await?.conversation(owner);
        let Some(item) = self.table.get(&keys::asked(&conversation, request)).await? else { return Ok(None) };
        let fingerprint = item.get("fingerprint").and_then(|value| value.as_b().ok());
        let fingerprint = fingerprint.and_then(|bytes| bytes.as_ref().try_into().ok());
        Ok(Some(Asked {
            fingerprint: Fingerprint::from_bytes(fingerprint.ok_or_else(|| unreadable("a fingerprint"))?),
            answer: item.id("answer")?,
        }))
    }

    pub(super) async fn take(&self, owner: &Owner, session: &SessionId, ask: &Ask) -> Result<(), StoreError> {
        let mut taking =
            Taking { owner, session, ask, by: self.unique(), text: None, cut: None, tries: Tries::default() };
        let taken = self.try_to_take(&mut taking).await;
        // Where nobody knows whether the question is taken, its text may be in use.
        if let (Err(_), Some((conversation, text)), false) = (&taken, &taking.text, taking.tries.is_unknown()) {
            self.drop_text(conversation, text).await;
        }
        if let (Ok(()), Some(cut)) = (&taken, &taking.cut) {
            self.delete_cut(cut).await;
        }
        taken
    }

    async fn try_to_take(&self, taking: &mut Taking<'_>) -> Result<(), StoreError> {
        loop {
            let kept = self.kept(taking.owner, taking.session).await?;
            let (displaced, cut) = match self.admit(taking, &kept).await {
                Ok(admitted) => admitted,
                Err(error) => {
                    let key = keys::asked(&kept.conversation(taking.owner), &taking.ask.request);
                    return match self.table.get(&key).await? {
                        Some(asked) => taking.asked_before(&asked),
                        None => Err(error),
                    };
                }
            };
            self.write_question(taking, &kept).await?;
            taking.cut = cut.as_ref().map(|cut| cut.note(taking.owner, &kept));
            let transaction = self.taking(taking, &kept, displaced, cut).await?;
            match self.table.transact(transaction).await? {
                Outcome::Done => return Ok(()),
                Outcome::Refused(parts) => {
                    if let Some((_, asked)) = parts.iter().find(|(part, _)| *part == Part::Asked) {
                        return taking.asked_before(asked);
                    }
                    if parts.iter().any(|(part, _)| *part == Part::Opening) {
                        return Err(StoreError::Unavailable("an answer of this id is open".to_owned()));
                    }
                    if let [(Part::Account(first), item), ..] = parts.as_slice()
                        && parts.iter().all(|(part, _)| *part != Part::Other)
                    {
                        let account = &taking.ask.answer.reservation.accounts[*first];
                        return Err(StoreError::OverBudget(Box::new(account.clone()), accounts::balance_of(item)));
                    }
                    taking.tries.again(contended()).await?;
                }
                Outcome::Contended => taking.tries.again(contended()).await?,
                Outcome::Unknown(error) => taking.tries.find_out(error)?,
            }
        }
    }

    /// Whether there is room for the question. Returns the answer that was under way and that nobody makes any more, and what gives way.
    async fn admit(
        &self,
        taking: &Taking<'_>,
        kept: &KeptSession,
    ) -> Result<(Option<MessageId>, Option<Cut>), StoreError> {
        let Ask { question, answer, .. } = taking.ask;
        if let Some(open) = &kept.open
            && let Some(open) = self.table.get(&keys::open_answer(taking.owner, open)).await?
            && lease_of(&open)? > answer.started
        {
            return Err(StoreError::SessionBusy);
        }
        let cut = self.cut(taking.owner, kept, taking.ask).await?;
        // A question is taken only where its answer has room too.
        let messages = cut.as_ref().map_or(kept.session.message_count, |cut| cut.left) as usize;
        let has_room = question.is_none() || messages + 2 <= MAX_MESSAGES;
        if kept.asked >= MAX_MESSAGES || !has_room {
            return Err(StoreError::SessionFull(MAX_MESSAGES));
        }
        self.refuse_more_than_limits(answer.reservation.amount, &answer.reservation.accounts).await?;
        Ok((kept.open.clone(), cut))
    }

    /// Writes the text of the question, once.
    async fn write_question(&self, taking: &mut Taking<'_>, kept: &KeptSession) -> Result<(), StoreError> {
        let conversation = kept.conversation(taking.owner);
        match (&taking.ask.question, &taking.text) {
            // The session was deleted meanwhile, and another one made.
            (_, Some((written, _))) if *written != conversation => Err(StoreError::SessionNotFound),
            (Some(question), None) => {
                let expires = self.expiry(question.message.timestamp);
                let text = self.write_message(&conversation, question, expires).await?;
                taking.text = Some((conversation, text));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    async fn taking(
        &self,
        taking: &Taking<'_>,
        kept: &KeptSession,
        displaced: Option<MessageId>,
        cut: Option<Cut>,
    ) -> Result<Transaction<Part>, StoreError> {
        let Taking { owner, session, ask, by, .. } = taking;
        let Ask { request, fingerprint, question, answer, .. } = ask;
        let conversation = kept.conversation(owner);
        let mut transaction = self.table.transaction();

        let mut change = kept
            .change(owner)
            .set("version", n(kept.version + 1))
            .set("asked", n(kept.asked + 1))
            .set("open", s(answer.message_id.as_str()))
            .set(USED, s(self.use_at(answer.started)));
        let mut asked = keys::asked(&conversation, request).with([
            ("fingerprint", bytes(fingerprint.as_bytes())),
            ("answer", s(answer.message_id.as_str())),
            ("by", s(by)),
        ]);
        self.expire(&mut asked, answer.started);
        transaction.put(Part::Asked, asked, Some("attribute_not_exists(#pk)"))?;
        let messages = cut.as_ref().map_or(kept.session.message_count, |cut| cut.left);
        let mut asks = kept.last + 1;
        if let (Some(Kept { message: question, .. }), Some((_, text))) = (question, &taking.text) {
            let last = asks;
            change = change
                .set("last", n(last))
                .set("messages", n(messages + 1))
                .set("updated", n(question.timestamp.unix_ms()));
            if let Some(title) = title_from(&question.content) {
                change = change.set_once("title", s(title));
            }
            let place = Place {
                session: (*session).clone(),
                life: kept.life.clone(),
                n: last,
                is_answer: question.role == Role::Assistant,
            };
            let mut message = message_item(&keys::message(&conversation, last), question, text);
            let mut place = place.item(owner, &question.message_id);
            self.expire(&mut message, question.timestamp);
            self.expire(&mut place, question.timestamp);
            transaction.put(Part::Other, message, None)?;
            transaction.put(Part::Other, place, None)?;
        } else {
            change = change.set("messages", n(messages));
            let end = cut.as_ref().map_or(kept.last, Cut::before);
            if let Some(last) = self.latest(&conversation, &kept.cuts, end, 1).await?.pop()
                && !last.has("is_answer")
            {
                asks = number_of(&last)?;
                let last = Change::of(key_of(&last)?).set("request", s(request.as_str()));
                transaction.update(Part::Other, last.when("attribute_exists(#pk)"))?;
            }
        }
        if let (Some(cut), Some(note)) = (&cut, &taking.cut) {
            change = change.set("cuts", s(cut.cuts.write()));
            transaction.put(Part::Other, note.clone(), None)?;
        }
        transaction.update(Part::Other, self.expiring(change, answer.started))?;
        let opened = opened(owner, kept, asks, request, answer)?;
        transaction.put(Part::Opening, opened, Some("attribute_not_exists(#pk)"))?;
        if let Some(displaced) = displaced {
            let gone = Change::of(keys::open_answer(owner, &displaced))
                .when("(attribute_not_exists(#pk) OR #lease <= :started)")
                .with("started", n(answer.started.unix_ms()));
            transaction.check(Part::Other, gone)?;
        }
        for (index, account) in answer.reservation.accounts.iter().enumerate() {
            transaction.update(Part::Account(index), accounts::reserving(account, answer.reservation.amount))?;
        }
        Ok(transaction)
    }
}

impl Taking<'_> {
    /// Something is asked under the id already: this very question, if a try was done that nobody knew of.
    fn asked_before(&self, asked: &Item) -> Result<(), StoreError> {
        if is_text(asked.get("by"), &self.by) { Ok(()) } else { Err(StoreError::AskedBefore) }
    }
}
